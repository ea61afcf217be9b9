"""Inline policies: those that live and die with the user, group or role they are in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import documents, entities, errors, paging
from openecs.api.iam.entities import EntityType
from openecs.model.iam import Entity
from openecs.store.base import Transaction, View

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class _Inline(Generic[E]):
    of: EntityType[E]

    def operations(self) -> dict[str, Operation]:
        word = self.of.word
        return {
            f"Put{word}Policy": Writes(self.put),
            f"Get{word}Policy": Reads(self.get),
            f"Delete{word}Policy": Writes(self.delete),
            f"List{word}Policies": Reads(self.list),
        }

    def put(self, tx: Transaction, call: Call, request: Members) -> Members:
        """Write a policy, new or in place of the one of its name."""
        found = self.of.asked_for(tx, call, request)
        document = documents.checked(request["PolicyDocument"])
        inline = {**found.inline, request["PolicyName"]: document}
        if sum(map(entities.size, inline.values())) > self.of.inline_quota:
            raise errors.limit_exceeded(
                f"Maximum policy size of {self.of.inline_quota} bytes exceeded for "
                f"{self.of.word.lower()} {found.name}"
            )
        self._put(tx, found, inline)
        return {}

    def get(self, view: View, call: Call, request: Members) -> Members:
        """A policy by its name."""
        found = self.of.asked_for(view, call, request)
        name = request["PolicyName"]
        return {
            f"{self.of.word}Name": found.name,
            "PolicyName": name,
            "PolicyDocument": entities.document(self._document(found, name)),
        }

    def delete(self, tx: Transaction, call: Call, request: Members) -> Members:
        """Take a policy away."""
        found = self.of.asked_for(tx, call, request)
        name = request["PolicyName"]
        self._document(found, name)
        self._put(tx, found, {k: v for k, v in found.inline.items() if k != name})
        return {}

    def list(self, view: View, call: Call, request: Members) -> Members:
        """The names, page by page."""
        found = self.of.asked_for(view, call, request)
        shown, more = paging.page(found.inline, lambda name: name, request)
        return {"PolicyNames": shown, **more}

    def _document(self, found: E, name: str) -> str:
        if name not in found.inline:
            raise errors.no_such(f"{self.of.word.lower()} policy", name)
        return found.inline[name]

    def _put(self, tx: Transaction, found: Any, inline: dict[str, str]) -> None:
        changed: E = replace(found, inline=inline)
        tx.put(self.of.kind, changed)


OPERATIONS: dict[str, Operation] = {
    **_Inline(entities.USER).operations(),
    **_Inline(entities.GROUP).operations(),
    **_Inline(entities.ROLE).operations(),
}
