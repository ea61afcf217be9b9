"""Where a resource is listed and found: keys and index entries, the same for every store.

Keys are ordered by code point; resources of one key by scope.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from openecs.model.identity import Scope
from openecs.store.base import Kind

T = TypeVar("T")


class Lookup(NamedTuple):
    """One entry of one index; those of a scoped index begin with account and region."""

    name: str
    words: tuple[str, ...]


def lookups_of(kind: Kind[T], scope: Scope, value: T) -> frozenset[Lookup]:
    """Everything ``value`` is found by."""
    found = {
        Lookup(name, (scope.account, scope.region, *words))
        for name, words_of in kind.indexes.items()
        if (words := words_of(value)) is not None
    }
    for name, words_of in kind.global_indexes.items():
        if (words := words_of(value)) is not None:
            found.add(Lookup(name, words))
    return frozenset(found)


def lookup(kind: Kind[T], scope: Scope | None, index: str, words: tuple[str, ...]) -> Lookup:
    """The entry a ``find`` asks for. ``KeyError``: the kind has no such index."""
    if scope is None:
        return Lookup(index, words) if index in kind.global_indexes else _unknown(kind, index)
    if index not in kind.indexes:
        return _unknown(kind, index)
    return Lookup(index, (scope.account, scope.region, *words))


def end_of_prefix(prefix: str) -> str | None:
    """The least string above all that start with ``prefix``; None where there is none."""
    for position in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[position])
        if point < 0x10FFFF:
            # Surrogates are no characters and cannot be stored.
            following = 0xE000 if point == 0xD7FF else point + 1
            return prefix[:position] + chr(following)
    return None


def _unknown(kind: Kind[T], index: str) -> Lookup:
    raise KeyError(f"{kind.name} has no index {index!r} with this scope")
