"""Task definitions: register, describe, list, deregister, delete.

A revision never changes once it is registered, but for its status, and its number is never given
out again. A deleted one is DELETE_IN_PROGRESS until the retention loop finds no task of it left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, references, tags
from openecs.api.ecs.capabilities import required_attributes
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.task_definition_members import parse, show
from openecs.api.ecs.task_definition_rules import compatibilities, complaint
from openecs.model.identity import task_definition_arn
from openecs.model.task_definitions import (
    TaskDefinition,
    TaskDefinitionFamily,
    TaskDefinitionStatus,
)
from openecs.store.base import Transaction, View
from openecs.store.kinds import TASK_DEFINITION_FAMILIES, TASK_DEFINITIONS

_MAX_BYTES = 65_536
_MAX_REVISION = 1_000_000

_STILL_ACTIVE = (
    "The specified task definition is still in ACTIVE status. "
    "Please deregister the target and try again."
)


def register_task_definition(tx: Transaction, call: Call, request: Members) -> Members:
    """Register the next revision of a family. ``ClientException`` says what is wrong with it."""
    definition = parse(call, request)
    if message := complaint(definition):
        raise errors.client(message)
    _check_length(request)
    given = tags.parse(request.get("tags"))
    definition = replace(
        definition,
        revision=_next_revision(tx, call, definition.family),
        compatibilities=compatibilities(definition),
        requires_attributes=required_attributes(definition),
        tags=given,
    )
    tx.add(TASK_DEFINITIONS, definition)
    return {"taskDefinition": show(definition), "tags": tags.show(given)}


def describe_task_definition(view: View, call: Call, request: Members) -> Members:
    """A revision of any status, or the latest ACTIVE one of a family."""
    definition = references.find_definition(view, call, request["taskDefinition"])
    if definition is None:
        raise errors.definition_undescribable()
    shown = tags.show(definition.tags) if "TAGS" in (request.get("include") or ()) else []
    return {"taskDefinition": show(definition), "tags": shown}


def list_task_definitions(view: View, call: Call, request: Members) -> Members:
    """ARNs by family and revision, of one family and status, upwards or downwards."""
    page = open_page(call, "ListTaskDefinitions", request)
    family = request.get("familyPrefix")
    status = TaskDefinitionStatus(request.get("status") or "ACTIVE")
    descending = request.get("sort") == "DESC"

    def scan(after: str, limit: int) -> Sequence[TaskDefinition]:
        prefix = f"{family}:" if family else ""
        return view.scan(
            TASK_DEFINITIONS,
            call.scope,
            prefix=prefix,
            after=after,
            limit=limit,
            descending=descending,
        )

    def find(after: str, limit: int) -> Sequence[TaskDefinition]:
        return view.find(
            TASK_DEFINITIONS, call.scope, "status", (status,), after=after, limit=limit
        )

    if family or descending:
        shown, token = page.take(scan, TASK_DEFINITIONS.key, lambda d: d.status is status)
    else:
        shown, token = page.take(find, TASK_DEFINITIONS.key)
    return {"taskDefinitionArns": [definition.arn for definition in shown], "nextToken": token}


def list_task_definition_families(view: View, call: Call, request: Members) -> Members:
    """Families whose name starts with the prefix, with (ACTIVE) or without ACTIVE revisions."""
    page = open_page(call, "ListTaskDefinitionFamilies", request)
    prefix, status = request.get("familyPrefix") or "", request.get("status") or "ALL"

    def is_listed(family: TaskDefinitionFamily) -> bool:
        if family.active:
            return bool(status != "INACTIVE")
        # Only the number of its last revision is left of a family that is deleted altogether.
        return status != "ACTIVE" and _has_revisions(view, family)

    shown, token = page.take(
        lambda after, limit: view.scan(
            TASK_DEFINITION_FAMILIES, call.scope, prefix=prefix, after=after, limit=limit
        ),
        TASK_DEFINITION_FAMILIES.key,
        is_listed,
    )
    return {"families": [family.family for family in shown], "nextToken": token}


def deregister_task_definition(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a revision INACTIVE; what runs of it goes on."""
    definition = _revision(tx, call, request["taskDefinition"])
    if definition is None:
        raise errors.definition_undescribable()
    if definition.status is TaskDefinitionStatus.DELETE_IN_PROGRESS:
        raise errors.client("The specified task definition is in the process of being deleted.")
    if definition.status is TaskDefinitionStatus.ACTIVE:
        definition = replace(
            definition, status=TaskDefinitionStatus.INACTIVE, deregistered_at=call.now
        )
        tx.put(TASK_DEFINITIONS, definition)
        _note_activity(tx, call, definition.family)
    return {"taskDefinition": show(definition)}


def delete_task_definitions(tx: Transaction, call: Call, request: Members) -> Members:
    """Mark INACTIVE revisions for deletion; the others are answered as failures."""
    named = request["taskDefinitions"]
    if not named:
        raise errors.invalid_parameter(
            "size of TaskDefinition references list must be greater than 0"
        )
    if len(named) > 10:
        raise errors.invalid_parameter("Size of TaskDefinition references list cannot exceed 10")
    deleted: list[Members] = []
    failures: list[Members] = []
    for name in dict.fromkeys(named):
        _delete(tx, call, name, (deleted, failures))
    return {"taskDefinitions": deleted, "failures": failures}


OPERATIONS: dict[str, Operation] = {
    "RegisterTaskDefinition": Writes(register_task_definition),
    "DescribeTaskDefinition": Reads(describe_task_definition),
    "ListTaskDefinitions": Reads(list_task_definitions),
    "ListTaskDefinitionFamilies": Reads(list_task_definition_families),
    "DeregisterTaskDefinition": Writes(deregister_task_definition),
    "DeleteTaskDefinitions": Writes(delete_task_definitions),
}


def _check_length(request: Members) -> None:
    length = len(msgspec.json.encode(request))
    if length > _MAX_BYTES:
        raise errors.client(
            f"Actual length: '{length}'. Max allowed length is '{_MAX_BYTES}' bytes."
        )


def _next_revision(tx: Transaction, call: Call, family: str) -> int:
    known = tx.get(TASK_DEFINITION_FAMILIES, call.scope, family)
    revision = known.last_revision + 1 if known else 1
    if revision > _MAX_REVISION:
        raise errors.client("The maximum number of revisions of the family has been reached.")
    tx.put(
        TASK_DEFINITION_FAMILIES,
        TaskDefinitionFamily(scope=call.scope, family=family, last_revision=revision, active=True),
    )
    return revision


def _revision(view: View, call: Call, reference: str) -> TaskDefinition | None:
    if references.definition_reference(call, reference).revision is None:
        raise errors.client("Revision is missing.")
    return references.find_definition(view, call, reference)


def _note_activity(tx: Transaction, call: Call, family: str) -> None:
    known = tx.get(TASK_DEFINITION_FAMILIES, call.scope, family)
    newest = references.newest_first(tx, call, family)
    active = any(each.status is TaskDefinitionStatus.ACTIVE for each in newest)
    if known is not None:
        tx.put(TASK_DEFINITION_FAMILIES, replace(known, active=active))


def _has_revisions(view: View, family: TaskDefinitionFamily) -> bool:
    prefix = f"{family.family}:"
    return bool(view.scan(TASK_DEFINITIONS, family.scope, prefix=prefix, limit=1))


def _delete(
    tx: Transaction, call: Call, name: str, answer: tuple[list[Members], list[Members]]
) -> None:
    """Mark one revision and add it to the deleted ones or to the failures of the answer."""
    deleted, failures = answer
    definition = _revision(tx, call, name)
    if definition is None:
        failures.append(errors.failure(_arn(call, name), "MISSING"))
        return
    if definition.status is TaskDefinitionStatus.ACTIVE:
        failures.append(errors.failure(definition.arn, _STILL_ACTIVE))
        return
    if definition.status is TaskDefinitionStatus.INACTIVE:
        definition = replace(
            definition,
            status=TaskDefinitionStatus.DELETE_IN_PROGRESS,
            delete_requested_at=call.now,
        )
        tx.put(TASK_DEFINITIONS, definition)
    deleted.append(show(definition))


def _arn(call: Call, name: str) -> str:
    reference = references.definition_reference(call, name)
    return task_definition_arn(call.scope, reference.family, reference.revision or 0)
