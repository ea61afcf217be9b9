"""Pages of listings: ``PageSize`` (1 to 400), ``Marker`` and ``NextMarker``."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import TypeVar

from openecs.api.base import Members
from openecs.api.elbv2 import errors

T = TypeVar("T")

_LARGEST = 400


def page(
    request: Members, items: Sequence[T], key: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """The items of the page a request asks for, and the marker of the next one if there is one.

    ``items`` are all there are, in the order of their keys.
    """
    after = _after(request.get("Marker"))
    size = request.get("PageSize") or _LARGEST
    left = [item for item in items if key(item) > after]
    shown = left[:size]
    return shown, _marker(key(shown[-1])) if len(left) > size else None


def _marker(key: str) -> str:
    return urlsafe_b64encode(key.encode()).decode()


def _after(marker: str | None) -> str:
    try:
        return urlsafe_b64decode((marker or "").encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise errors.validation("The specified marker is not valid") from error
