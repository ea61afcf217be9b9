"""Describe operations: everything there is, of that what was asked for, of that a page."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openecs.api.base import Members, ServiceError
from openecs.api.ec2 import filters

_LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How one noun is listed: members of request and answer, filters, the error for an unknown."""

    #: The answer's member, and the member that each of it is known by.
    answer: str
    id: str
    #: The request's member with ids.
    ids: str
    paths: filters.Paths
    #: An error's code, and its text with the id for ``{}``.
    missing: tuple[str, str]
    #: NAT gateways have the one name, all others the other.
    filters: str = "Filters"

    def describe(self, request: Members, shown: Sequence[Members]) -> Members:
        """The answer: the page a request asks for.

        Raises the noun's own error for an id that is not there, ``InvalidParameterValue``.
        """
        found = sorted(self._asked(request, shown), key=lambda one: str(one[self.id]))
        kept = filters.keep(found, request.get(self.filters) or (), self.paths)
        after = _after(request.get("NextToken"))
        rest = [one for one in kept if one[self.id] > after]
        page = rest[: _size(request.get("MaxResults"))]
        more = len(page) < len(rest)
        return {self.answer: page, "NextToken": _token(page[-1][self.id]) if more else None}

    def unknown(self, name: str) -> ServiceError:
        """The error that says that there is none of this id."""
        code, text = self.missing
        return ServiceError(code, text.format(name))

    def _asked(self, request: Members, shown: Sequence[Members]) -> Sequence[Members]:
        ids = request.get(self.ids)
        if not ids:
            return shown
        there: Mapping[str, Any] = {one[self.id]: one for one in shown}
        for name in ids:
            if name not in there:
                raise self.unknown(name)
        return [there[name] for name in dict.fromkeys(ids)]


def _size(asked: int | None) -> int:
    if asked is None:
        return _LARGEST_PAGE
    if asked < 1:
        text = f"Value ( {asked} ) for parameter maxResults is invalid."
        raise ServiceError("InvalidParameterValue", text)
    return min(asked, _LARGEST_PAGE)


def _token(name: str) -> str:
    return urlsafe_b64encode(name.encode()).decode()


def _after(token: str | None) -> str:
    try:
        return urlsafe_b64decode((token or "").encode()).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = "The specified value for NextToken is not valid."
        raise ServiceError("InvalidNextToken", text) from None
