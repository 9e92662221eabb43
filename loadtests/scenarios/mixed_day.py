"""An ordinary day: many consumers read, producers start now and then, some teams change schemas, some people look."""

from __future__ import annotations

from loadtests.scenarios import evolution, listing, reregistration, steady_reads


class Consumers(steady_reads.Reader):
    """Of a hundred users, 70 read by id."""

    weight = 70


class Producers(reregistration.Producer):
    """20 register what is there."""

    weight = 20


class Teams(evolution.Team):
    """5 change their schemas."""

    weight = 5


class Browsers(listing.Browser):
    """5 look at pages."""

    weight = 5
