"""Pages of alarms and of their history: ``MaxRecords`` (1 to 100, else 50) and ``NextToken``."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

from openecs.api.base import Members
from openecs.api.cloudwatch import alarm_errors as errors

T = TypeVar("T")

_USUAL = 50


def page(
    request: Members, items: Sequence[T], key: Callable[[T], str], *, descending: bool = False
) -> tuple[Sequence[T], str | None]:
    """The items of the page a request asks for, and the token of the next one if there is one.

    ``items`` are all there are, in the order of their keys. Raises ``InvalidNextToken``.
    """
    most, left = size(request), items
    if (behind := last(request)) != "":
        left = [i for i in items if (key(i) < behind if descending else key(i) > behind)]
    shown = left[:most]
    return shown, _token(key(shown[-1])) if len(left) > most else None


def size(request: Members) -> int:
    """How many items the page has."""
    return int(request.get("MaxRecords") or _USUAL)


def last(request: Members) -> str:
    """The key of the last item of the page before; empty: there was none."""
    token = request.get("NextToken")
    return _last(token) if token is not None else ""


def _token(key: str) -> str:
    return urlsafe_b64encode(key.encode()).decode()


def _last(token: str) -> str:
    try:
        return b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise errors.invalid_next_token() from error
