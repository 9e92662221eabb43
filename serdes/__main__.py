"""`python -m serdes fetch`: fill a disk cache, for an image that starts without a registry.

Owns the command line; what is fetched lies in the folder as the clients' own disk cache writes it.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from serdes import SchemaRegistryClient
from serdes._cache.disk import Disk
from serdes._cache.memory import Key
from serdes._flows.questions import registered_key
from serdes.errors import SerdesError
from serdes.schema import RegisteredSchema
from serdes.settings import ClientSettings
from serdes.subjects import place_told


class Fetch:
    """Writes down what serdes will ask about subjects, as if they had asked.

    Args:
        client: a client of the registry, without a disk cache of its own.
        disk: where the answers go.
        cluster_id: the Kafka cluster under whose name the associated strategy will ask; "-" for any.
    """

    def __init__(self, client: SchemaRegistryClient, disk: Disk, cluster_id: str = "-") -> None:
        self._client = client
        self._disk = disk
        self._cluster_id = cluster_id

    def subjects(self, patterns: Sequence[str]) -> list[str]:
        """The subjects that match one of the patterns (`orders-*`)."""
        return [name for name in self._client.get_subjects() if any(fnmatch.fnmatchcase(name, one) for one in patterns)]

    def subject(self, name: str) -> int:
        """Fetch every version of a subject; how many there are."""
        versions = [self._client.get_version(name, number) for number in self._client.get_versions(name)]
        for version in versions:
            self._version(name, version)
        self._disk.save(Key("version", name, ("latest", False, None)), versions[-1])
        self._association(name)
        return len(versions)

    def _version(self, subject: str, version: RegisteredSchema) -> None:
        schema, number = version.schema, version.schema_id
        for normalize in (False, True):
            self._disk.save(registered_key(subject, schema, normalize), version)
            self._disk.save(Key("looked up", subject, (schema, normalize, False, None)), version)
        for asked_under in (subject, None):
            self._disk.save(Key("id", asked_under, (number, None, None)), version)
        if version.guid is not None:
            self._disk.save(Key("guid", None, (version.guid, None)), version)
        for reference in schema.references:
            if reference.subject is not None and reference.version is not None:
                referred = self._client.get_version(reference.subject, reference.version, deleted=True)
                self._disk.save(Key("reference", reference.subject, reference.version), referred)
                self._version(reference.subject, referred)

    def _association(self, subject: str) -> None:
        """The question of the associated strategy, for the topic that the subject's name tells."""
        ctx = place_told(subject)
        if ctx is None:
            return
        topic, field = ctx.topic, str(ctx.field)
        bound = self._client.get_associations_by_resource_name(topic, self._cluster_id, "topic", [field], 0, -1)
        self._disk.save(Key("associations", None, (topic, self._cluster_id, "topic", (field,), 0, -1)), bound)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m serdes", description=__doc__)
    commands = parser.add_subparsers(required=True)
    fetch = commands.add_parser("fetch", help="fill a disk cache with the schemas of subjects")
    fetch.add_argument("--url", default="http://127.0.0.1:8081", help="the registry (default %(default)s)")
    fetch.add_argument("--subject", action="append", required=True, help="a subject, or a pattern such as 'orders-*'")
    fetch.add_argument("--out", type=Path, required=True, help="the folder, later `cache.disk.dir`")
    fetch.add_argument("--cluster-id", default="-", help="the Kafka cluster, where producers name it (default any)")
    fetch.add_argument("--deadline", type=float, default=15.0, help="seconds for each call (default %(default)s)")
    fetch.add_argument("--user", help="user:password, for basic authentication")
    chosen = parser.parse_args(arguments)
    try:
        for line in _fetched(chosen):
            sys.stdout.write(line + "\n")
    except (SerdesError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _fetched(chosen: argparse.Namespace) -> Iterator[str]:
    conf = {"url": chosen.url, "deadline": chosen.deadline} | (
        {"basic.auth.user.info": chosen.user} if chosen.user else {}
    )
    settings = ClientSettings.read(conf)
    disk = Disk(chosen.out, settings.urls[0], settings.disk_max_age_seconds, strict=True)
    with SchemaRegistryClient(conf) as client:
        fetching = Fetch(client, disk, chosen.cluster_id)
        subjects = fetching.subjects(chosen.subject)
        versions = sum(fetching.subject(name) for name in subjects)
    yield f"{versions} versions of {len(subjects)} subjects are in {chosen.out}"
    # Told after the count, as an error: a script that mistyped a name must not go on with an empty folder.
    if not subjects:
        raise SerdesError(f"no subject matches {' or '.join(chosen.subject)}")


if __name__ == "__main__":
    sys.exit(main())
