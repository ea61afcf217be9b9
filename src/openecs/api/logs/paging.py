"""Tokens: of listings the key of what was shown last, of events where the last one stands."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from openecs.api.base import Members
from openecs.api.logs import errors
from openecs.model.logs import KeptEvent, Position
from openecs.store.logs import size_of

_USUAL = 50
#: What one answer tells at most, in bytes.
_PAGE = 1024 * 1024
#: Twenty digits of the time, thirty-six of the id.
_STAND = re.compile(r"(\d{20})(\d{36})")


def limit(request: Members) -> int:
    """How many items one answer has."""
    return int(request.get("limit") or _USUAL)


def token(key: Any) -> str:
    """The token that stands for a key."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode()


def key_of(given: str, type_: Any) -> Any:
    """The key a token stands for. Raises ``InvalidParameterException``."""
    try:
        return msgspec.json.decode(b64decode(given.encode(), b"-_", validate=True), type=type_)
    except (binascii.Error, UnicodeError, msgspec.MsgspecError) as error:
        raise errors.invalid_token() from error


def digits(position: Position) -> str:
    """A position in 56 digits."""
    return f"{position.timestamp:020d}{position.id:036d}"


def position_of(given: str) -> Position:
    """The position of 56 digits. Raises ``InvalidParameterException``."""
    found = _STAND.fullmatch(given)
    if found is None:
        raise errors.invalid_token()
    timestamp, id_ = int(found[1]), int(found[2])
    if max(timestamp, id_) >= 2**63:
        raise errors.invalid_token()
    return Position(timestamp, id_)


def fitting(events: Sequence[KeptEvent]) -> Sequence[KeptEvent]:
    """As many of the events as one answer tells; at least one."""
    total = 0
    for number, event in enumerate(events):
        total += size_of(event.message)
        if number and total > _PAGE:
            return events[:number]
    return events
