"""Tags of what IAM keeps.

Rules: IAM User Guide, "Tags for AWS Identity and Access Management resources".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import errors, paging
from openecs.store.base import Kind, Transaction, View

T = TypeVar("T")

LIMIT = 50


def parse(
    tags: Sequence[Members] | None, word: str, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a request, added to the ``existing`` ones of a ``word`` (``Role``).

    Raises ``InvalidInput`` and ``LimitExceeded``.
    """
    given = [(tag["Key"], tag["Value"]) for tag in tags or ()]
    if any(key.lower().startswith("aws:") for key, _ in given):
        raise errors.invalid_input("Tag keys beginning with 'aws:' are reserved for AWS use.")
    if len({key.lower() for key, _ in given}) < len(given):
        raise errors.invalid_input(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    merged = {**(existing or {}), **dict(given)}
    if len(merged) > LIMIT:
        raise errors.limit_exceeded(f"Cannot exceed quota for TagsPer{word}: {LIMIT}")
    return merged


def show(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged(Generic[T]):
    """What has tags: its word in names of operations, its kind, and how a request names one."""

    word: str
    kind: Kind[T]
    find: Callable[[View, Call, Members], T]

    def operations(self) -> dict[str, Operation]:
        """Tag, untag, list."""
        return {
            f"Tag{self.word}": Writes(self._tag),
            f"Untag{self.word}": Writes(self._untag),
            f"List{self.word}Tags": Reads(self._list),
        }

    def _tag(self, tx: Transaction, call: Call, request: Members) -> Members:
        """Add tags, or give those that are there new values."""
        found = self.find(tx, call, request)
        self._put(tx, found, parse(request["Tags"], self.word, _tags(found)))
        return {}

    def _untag(self, tx: Transaction, call: Call, request: Members) -> Members:
        """Take tags away; keys that are not there are passed over."""
        found = self.find(tx, call, request)
        gone = set(request["TagKeys"])
        self._put(tx, found, {k: v for k, v in _tags(found).items() if k not in gone})
        return {}

    def _list(self, view: View, call: Call, request: Members) -> Members:
        """The tags by their keys, page by page."""
        found = self.find(view, call, request)
        shown, more = paging.page(_tags(found).items(), lambda tag: tag[0], request)
        return {"Tags": show(dict(shown)), **more}

    def _put(self, tx: Transaction, found: Any, tags: dict[str, str]) -> None:
        changed: T = replace(found, tags=tags)
        tx.put(self.kind, changed)


def _tags(found: Any) -> dict[str, str]:
    tags: dict[str, str] = found.tags
    return tags
