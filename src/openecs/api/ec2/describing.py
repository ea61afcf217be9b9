"""What all Describe operations have in common: ids, filters, pages.

Amazon EC2 API Reference, ``Filter``: values of one filter are alternatives, filters must all match;
``*`` and ``?`` are wildcards, unless escaped by a backslash; case counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from openecs.api.base import Members
from openecs.api.ec2 import errors

T = TypeVar("T")

#: The values that a resource has for a filter; any of them may match.
Facet = Callable[[T], Sequence[str]]

#: Most results of a page.
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Described(Generic[T]):
    """How resources of a kind are asked for."""

    #: The member of the request that names ids, and of the answer that holds the results.
    ids: str
    results: str
    #: ``InvalidVpcID`` and ``vpc ID``: of errors.
    error: str
    noun: str
    id_of: Callable[[T], str]
    tags_of: Callable[[T], Mapping[str, str]]
    facets: Mapping[str, Facet[T]]
    show: Callable[[T], Members]

    def answer(self, found: Sequence[T], request: Members) -> Members:
        """The resources that a Describe request asks for. Raises ``ServiceError``."""
        named = request.get(self.ids) or ()
        chosen = _named(self, found, named) if named else sorted(found, key=self.id_of)
        chosen = [each for each in chosen if self._matches(each, request.get("Filters") or ())]
        page, token = _page(chosen, request)
        return {self.results: [self.show(each) for each in page], "NextToken": token}

    def _matches(self, resource: T, filters: Sequence[Members]) -> bool:
        return all(
            _any_matches(self._values(resource, each.get("Name") or ""), each.get("Values") or ())
            for each in filters
        )

    def _values(self, resource: T, name: str) -> Sequence[str]:
        kind, _, key = name.partition(":")
        if kind == "tag":
            value = self.tags_of(resource).get(key)
            return () if value is None else (value,)
        if name == "tag-key":
            return tuple(self.tags_of(resource))
        if name not in self.facets:
            raise errors.invalid_value(f"The filter '{name}' is invalid")
        return self.facets[name](resource)


def truth(*, value: bool) -> Sequence[str]:
    """A truth value, as filters spell it."""
    return ("true" if value else "false",)


def _named(described: Described[T], found: Sequence[T], ids: Sequence[str]) -> list[T]:
    known = {described.id_of(each): each for each in found}
    for identifier in ids:
        if identifier not in known:
            raise errors.not_found(described.error, described.noun, identifier)
    return [known[identifier] for identifier in dict.fromkeys(ids)]


def _any_matches(values: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(_pattern(pattern).fullmatch(value) for pattern in patterns for value in values)


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    return re.compile("".join(map(_piece, parts)), re.DOTALL)


def _piece(part: str) -> str:
    wild = {"*": ".*", "?": "."}
    return wild.get(part) or re.escape(part[-1])


def _page(chosen: Sequence[T], request: Members) -> tuple[Sequence[T], str | None]:
    size, token = request.get("MaxResults"), request.get("NextToken")
    start = 0
    if token:
        if not token.isdecimal() or int(token) > len(chosen):
            raise errors.invalid_value("The token is invalid.")
        start = int(token)
    if size is None:
        return chosen[start:], None
    end = start + min(size, LARGEST_PAGE)
    return chosen[start:end], str(end) if end < len(chosen) else None
