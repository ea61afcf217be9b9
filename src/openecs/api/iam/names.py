"""Identifiers that IAM makes.

IAM User Guide, "IAM identifiers": a prefix tells what a thing is, the rest is never used twice.
"""

from __future__ import annotations

from base64 import b32encode

from openecs.model.identity import Ids

USER = "AIDA"
GROUP = "AGPA"
ROLE = "AROA"
POLICY = "ANPA"
INSTANCE_PROFILE = "AIPA"
SERVER_CERTIFICATE = "ASCA"
ACCESS_KEY = "AKIA"
SESSION_KEY = "ASIA"


def unique_id(ids: Ids, prefix: str) -> str:
    """The prefix and 17 letters and digits."""
    return f"{prefix}{_letters(ids, 17)}"


def access_key_id(ids: Ids, prefix: str) -> str:
    """The prefix and 16 letters and digits."""
    return f"{prefix}{_letters(ids, 16)}"


def _letters(ids: Ids, count: int) -> str:
    return b32encode(bytes.fromhex(ids.hex32())).decode()[:count]
