"""Pages: ``MaxResults`` (at most 100) and ``NextToken``."""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

from openecs.api.base import Members, ServiceError

T = TypeVar("T")

_MOST = 100


def page(
    request: Members, items: Sequence[T], key: Callable[[T], str], *, descending: bool = False
) -> tuple[Sequence[T], str | None]:
    """The items of the page that is asked for, and the token of the next one if there is one.

    ``items`` are all there are, in the order of their keys.
    """
    left = items
    if token := request.get("NextToken"):
        behind = _behind(token)
        left = [i for i in items if (key(i) < behind if descending else key(i) > behind)]
    most = request.get("MaxResults") or _MOST
    shown = left[:most]
    if len(left) <= most:
        return shown, None
    return shown, urlsafe_b64encode(key(shown[-1]).encode()).decode()


def _behind(token: str) -> str:
    try:
        return b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        message = "The provided NextToken is invalid."
        raise ServiceError("InvalidNextTokenException", message) from error
