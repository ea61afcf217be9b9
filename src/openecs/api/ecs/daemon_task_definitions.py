"""Daemon task definitions: register, describe, list, delete.

A revision never changes once it is registered, but for its status. A deleted one is
DELETE_IN_PROGRESS until no daemon runs it, then DELETED and still describable.

A daemon's task runs in AWS on a bridge of the instance's own (``daemon_bridge``); here it is on the
engine's bridge. ``shared`` namespaces are the host's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openecs.api import shapes
from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ecs import daemon_references, errors, tags
from openecs.api.ecs.capabilities import required_attributes
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.task_definition_members import parse
from openecs.api.ecs.task_definition_rules import complaint
from openecs.model.daemons import DaemonTaskDefinition, DaemonTaskDefinitionStatus
from openecs.model.task_definitions import ContainerDefinition, NetworkMode
from openecs.store.base import Transaction, View
from openecs.store.kinds import DAEMON_TASK_DEFINITIONS

MANAGED_INSTANCES = "MANAGED_INSTANCES"
_MAX_REVISION = 1_000_000

#: What a namespace is to be, as a task definition says it.
_NAMESPACES = {None: None, "none": None, "shared": "host"}
#: Lists of a container that are shown even where they are empty.
_ALWAYS_SHOWN = ("environment", "mountPoints", "systemControls")
#: What a container of a daemon does not have.
_ABSENT = ("portMappings", "volumesFrom")


def register_daemon_task_definition(tx: Transaction, call: Call, request: Members) -> Members:
    """Register the next revision of a family. ``ClientException`` says what is wrong with it."""
    runs = parse(call, _as_task_definition(request))
    if message := complaint(runs):
        raise errors.client(message)
    given = tags.parse(request.get("tags"))
    definition = DaemonTaskDefinition(
        runs=replace(
            runs,
            revision=_next_revision(tx, call, runs.family),
            compatibilities=(MANAGED_INSTANCES,),
            requires_attributes=required_attributes(runs),
            tags=given,
        ),
        pid_mode=request.get("pidMode"),
        ipc_mode=request.get("ipcMode"),
        tags=given,
    )
    tx.put(DAEMON_TASK_DEFINITIONS, definition)
    return {"daemonTaskDefinitionArn": definition.arn}


def describe_daemon_task_definition(view: View, call: Call, request: Members) -> Members:
    """A revision of any status, or the latest ACTIVE one of a family."""
    definition = daemon_references.find_definition(view, call, request["daemonTaskDefinition"])
    if definition is None:
        raise _undescribable()
    return {"daemonTaskDefinition": _show(definition)}


def list_daemon_task_definitions(view: View, call: Call, request: Members) -> Members:
    """Revisions by family and number, upwards or downwards; the ACTIVE ones unless asked."""
    page = open_page(call, "ListDaemonTaskDefinitions", request)
    family, prefix = request.get("family"), request.get("familyPrefix") or ""
    status = request.get("status") or "ACTIVE"
    is_last_wanted = request.get("revision") == "LAST_REGISTERED"

    def scan(after: str, limit: int) -> Sequence[DaemonTaskDefinition]:
        return view.scan(
            DAEMON_TASK_DEFINITIONS,
            call.scope,
            prefix=f"{family}:" if family else prefix,
            after=after,
            limit=limit,
            descending=request.get("sort") == "DESC",
        )

    def is_listed(definition: DaemonTaskDefinition) -> bool:
        if status not in {"ALL", definition.status}:
            return False
        return not is_last_wanted or _is_last(view, definition)

    shown, token = page.take(scan, DAEMON_TASK_DEFINITIONS.key, is_listed)
    return {"daemonTaskDefinitions": [_summary(each) for each in shown], "nextToken": token}


def delete_daemon_task_definition(tx: Transaction, call: Call, request: Members) -> Members:
    """Mark an ACTIVE revision for deletion; daemons that run it go on."""
    reference = request["daemonTaskDefinition"]
    if ":" not in reference:
        raise errors.client("Revision is missing.")
    definition = daemon_references.find_definition(tx, call, reference)
    if definition is None:
        raise _undescribable()
    if definition.status is not DaemonTaskDefinitionStatus.ACTIVE:
        raise errors.client("The specified daemon task definition is not in ACTIVE status.")
    deleting = DaemonTaskDefinitionStatus.DELETE_IN_PROGRESS
    marked = replace(definition, status=deleting, delete_requested_at=call.now)
    tx.put(DAEMON_TASK_DEFINITIONS, marked)
    return {"daemonTaskDefinitionArn": marked.arn}


OPERATIONS: dict[str, Operation] = {
    "RegisterDaemonTaskDefinition": Writes(register_daemon_task_definition),
    "DescribeDaemonTaskDefinition": Reads(describe_daemon_task_definition),
    "ListDaemonTaskDefinitions": Reads(list_daemon_task_definitions),
    "DeleteDaemonTaskDefinition": Writes(delete_daemon_task_definition),
}


def _as_task_definition(request: Members) -> Members:
    """The members of the task definition that a daemon's tasks run."""
    return {
        **request,
        "networkMode": str(NetworkMode.BRIDGE),
        "requiresCompatibilities": [MANAGED_INSTANCES],
        "pidMode": _NAMESPACES[request.get("pidMode")],
        "ipcMode": _NAMESPACES[request.get("ipcMode")],
    }


def _undescribable() -> ServiceError:
    return errors.client("Unable to describe daemon task definition.")


def _next_revision(tx: Transaction, call: Call, family: str) -> int:
    """Revisions are never forgotten, so the last one tells which number is free."""
    last = tx.scan(
        DAEMON_TASK_DEFINITIONS, call.scope, prefix=f"{family}:", limit=1, descending=True
    )
    revision = last[0].runs.revision + 1 if last else 1
    if revision > _MAX_REVISION:
        raise errors.client("The maximum number of revisions of the family has been reached.")
    return revision


def _is_last(view: View, definition: DaemonTaskDefinition) -> bool:
    prefix, after = f"{definition.runs.family}:", DAEMON_TASK_DEFINITIONS.key(definition)
    scope = definition.scope
    return not view.scan(DAEMON_TASK_DEFINITIONS, scope, prefix=prefix, after=after, limit=1)


def _summary(definition: DaemonTaskDefinition) -> Members:
    return {
        "arn": definition.arn,
        "registeredAt": definition.runs.registered_at,
        "registeredBy": definition.runs.registered_by,
        "deleteRequestedAt": definition.delete_requested_at,
        "status": str(definition.status),
    }


def _show(definition: DaemonTaskDefinition) -> Members:
    runs = definition.runs
    return {
        "daemonTaskDefinitionArn": definition.arn,
        "family": runs.family,
        "revision": runs.revision,
        "taskRoleArn": runs.task_role_arn,
        "executionRoleArn": runs.execution_role_arn,
        "containerDefinitions": [_container(each) for each in runs.container_definitions],
        "volumes": [shapes.to_members(each) for each in runs.volumes],
        "cpu": None if runs.cpu is None else str(runs.cpu),
        "memory": None if runs.memory is None else str(runs.memory),
        "status": str(definition.status),
        "registeredAt": runs.registered_at,
        "registeredBy": runs.registered_by,
        "deleteRequestedAt": definition.delete_requested_at,
        "pidMode": definition.pid_mode,
        "ipcMode": definition.ipc_mode,
    }


def _container(container: ContainerDefinition) -> dict[str, Any]:
    members = shapes.to_members(container, always=_ALWAYS_SHOWN)
    return {name: value for name, value in members.items() if name not in _ABSENT}
