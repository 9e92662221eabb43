"""Who is asking, and may they: users, the credentials that they send, and what they were granted.

Refuses to know HTTP beyond the text of an Authorization header; the edge and the routes ask here.
"""

from registry.auth.caller import ANYBODY, NOBODY, Caller
from registry.auth.credentials import SEVERAL
from registry.auth.guard import Guard, PasswordGuard, Unguarded
from registry.auth.needs import NEEDS, OPEN, Need, Place
from registry.auth.permissions import EVERYTHING_ALLOWED, Grant, Pattern, Permissions, Right

__all__ = [
    "ANYBODY",
    "EVERYTHING_ALLOWED",
    "NEEDS",
    "NOBODY",
    "OPEN",
    "SEVERAL",
    "Caller",
    "Grant",
    "Guard",
    "Need",
    "PasswordGuard",
    "Pattern",
    "Permissions",
    "Place",
    "Right",
    "Unguarded",
]
