"""Pages of IAM's listings: ``MaxItems``, ``Marker``, ``IsTruncated``.

A marker is the word that the page before it ended with. IAM API Reference, "Paginating".
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import TypeVar

from openecs.api.base import Members
from openecs.api.iam import errors

T = TypeVar("T")

_DEFAULT = 100


def page(items: Iterable[T], word: Callable[[T], str], request: Members) -> tuple[list[T], Members]:
    """The items of the page that a request asks for, by their words, and what is said of the rest.

    Raises ``ValidationError``.
    """
    after = _after(request.get("Marker"))
    rest = sorted((one for one in items if word(one) > after), key=word)
    shown = rest[: request.get("MaxItems") or _DEFAULT]
    if len(shown) == len(rest):
        return shown, {"IsTruncated": False}
    marker = urlsafe_b64encode(word(shown[-1]).encode()).decode()
    return shown, {"IsTruncated": True, "Marker": marker}


def _after(marker: str | None) -> str:
    try:
        return b64decode(marker, altchars=b"-_", validate=True).decode() if marker else ""
    except (binascii.Error, ValueError) as error:
        raise errors.invalid_marker() from error
