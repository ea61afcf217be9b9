"""Pages of listings: ``maxResults``, and a ``nextToken`` that only its own request can use.

A token says behind which key the next page starts. It holds a digest of the call it belongs to, so
that it is refused with other parameters; it needs no secret, since the key only ever selects among
what the caller may list anyway.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from openecs.api.base import Call, Members
from openecs.api.ecs import errors

T = TypeVar("T")

#: How many items are fetched at once, at least, when not all of them are kept.
_BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page a call asks for: ``size`` items after key ``after`` (empty: from the start)."""

    after: str
    size: int
    fingerprint: str

    def take(
        self,
        fetch: Callable[[str, int], Sequence[T]],
        key: Callable[[T], str],
        keep: Callable[[T], bool] | None = None,
    ) -> tuple[list[T], str | None]:
        """The items of the page and the token of the next one, None on the last.

        ``fetch(after, limit)`` gives items in order; it is asked again until the page is full of
        items to ``keep`` or there are no more.
        """
        found: list[T] = []
        after = self.after
        limit = self.size + 1 if keep is None else max(self.size + 1, _BATCH)
        while len(found) <= self.size:
            batch = fetch(after, limit)
            found += batch if keep is None else filter(keep, batch)
            if len(batch) < limit:
                break
            after = key(batch[-1])
        return self.cut(found, key)

    def cut(self, items: Sequence[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
        """The first ``size`` of the items after the token, and the token of those behind."""
        shown = list(items[: self.size])
        if len(items) <= self.size:
            return shown, None
        return shown, _token(self.fingerprint, key(shown[-1]))


def open_page(
    call: Call, operation: str, request: Members, *, default: int = 100, maximum: int = 100
) -> Page:
    """The page that ``maxResults`` and ``nextToken`` of a request ask for.

    Limits per operation: Amazon ECS API Reference, ``maxResults``. Raises
    ``InvalidParameterException``: a size out of range, a token that is none or another call's.
    """
    size = request.get("maxResults")
    if size is not None and not 1 <= size <= maximum:
        raise errors.invalid_parameter(f"maxResults must be between 1 and {maximum}")
    fingerprint = _fingerprint(call, operation, request)
    token = request.get("nextToken")
    return Page(
        after=_after(fingerprint, token) if token else "",
        size=size or default,
        fingerprint=fingerprint,
    )


def _fingerprint(call: Call, operation: str, request: Members) -> str:
    parameters = {
        name: value
        for name, value in request.items()
        if name not in {"nextToken", "maxResults"} and value is not None
    }
    where = [call.scope.account, call.scope.region, operation, parameters]
    return sha256(json.dumps(where, sort_keys=True).encode()).hexdigest()[:16]


def _token(fingerprint: str, after: str) -> str:
    return urlsafe_b64encode(json.dumps([fingerprint, after]).encode()).decode()


def _after(fingerprint: str, token: str) -> str:
    match _parse(token):
        case [str(owner), str(after)] if owner == fingerprint and after:
            return after
        case _:
            raise errors.invalid_parameter("Invalid token.")


def _parse(token: str) -> object:
    try:
        return json.loads(urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, RecursionError):
        return None
