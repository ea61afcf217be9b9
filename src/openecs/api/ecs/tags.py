"""Tags: TagResource, UntagResource, ListTagsForResource, and the rules for tags everywhere else.

Rules: Amazon ECS Developer Guide, "Tagging your Amazon ECS resources".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ecs import errors, references
from openecs.model.clusters import Cluster, ClusterStatus
from openecs.model.identity import parse_arn
from openecs.store.base import Kind, Transaction, View
from openecs.store.kinds import (
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    DAEMON_TASK_DEFINITIONS,
    DAEMONS,
    SERVICES,
    TASK_DEFINITIONS,
    TASK_SETS,
    TASKS,
    daemon_key,
    instance_key,
    part_key,
    service_key,
    task_definition_key,
    task_key,
)

LIMIT = 50
_CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")


def parse(
    tags: Sequence[Members] | None, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a request, added to the ``existing`` ones of the resource.

    Raises ``InvalidParameterException`` for a tag that may not be, or more than 50 of them.
    """
    given = [(tag.get("key") or "", tag.get("value") or "") for tag in tags or ()]
    for key, value in given:
        _check(key, value)
    if len({key for key, _ in given}) < len(given):
        raise errors.invalid_parameter("Duplicate tag keys found.")
    merged = {**(existing or {}), **dict(given)}
    if len(merged) > LIMIT:
        raise errors.invalid_parameter(f"The number of tags must not be greater than {LIMIT}")
    return merged


def show(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def tag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags to a resource, or give those it has new values."""
    kind, resource = _resource(tx, call, request["resourceArn"], errors.resource_not_found)
    tx.put(kind, replace(resource, tags=parse(request["tags"], resource.tags)))
    return {}


def untag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away; keys the resource does not have are passed over."""
    kind, resource = _resource(tx, call, request["resourceArn"], errors.resource_not_found)
    gone = set(request["tagKeys"])
    kept = {key: value for key, value in resource.tags.items() if key not in gone}
    tx.put(kind, replace(resource, tags=kept))
    return {}


def list_tags_for_resource(view: View, call: Call, request: Members) -> Members:
    """The tags of a resource."""
    _, resource = _resource(view, call, request["resourceArn"], errors.invalid_parameter)
    return {"tags": show(resource.tags)}


OPERATIONS: dict[str, Operation] = {
    "TagResource": Writes(tag_resource),
    "UntagResource": Writes(untag_resource),
    "ListTagsForResource": Reads(list_tags_for_resource),
}


def _check(key: str, value: str) -> None:
    if not 1 <= len(key) <= 128:
        raise errors.invalid_parameter("Tag key must be between 1 and 128 characters long.")
    if len(value) > 256:
        raise errors.invalid_parameter("Tag value must not be longer than 256 characters.")
    if key.lower().startswith("aws:") or value.lower().startswith("aws:"):
        raise errors.invalid_parameter(
            "The tag key or value begins with 'aws:', a prefix reserved for AWS use."
        )
    if not (_CHARACTERS.fullmatch(key) and _CHARACTERS.fullmatch(value)):
        raise errors.invalid_parameter(
            "Tag keys and values may contain only letters, numbers, spaces and + - = . _ : / @"
        )


@dataclass(frozen=True, slots=True)
class _Taggable:
    """A kind of resource, what AWS calls it, and its key from the parts of an ARN's resource."""

    words: str
    kind: Kind[Any]
    parts: int
    key: Callable[..., str]


def _definition_key(name: str) -> str:
    family, _, revision = name.partition(":")
    return task_definition_key(family, int(revision)) if revision.isdecimal() else name


def _task_set_key(cluster: str, service: str, prefix: str, number: str) -> str:
    return part_key(cluster, service, f"{prefix}/{number}")


_TAGGABLE = {
    "cluster": _Taggable("cluster", CLUSTERS, 1, str),
    "task": _Taggable("task", TASKS, 2, task_key),
    "container-instance": _Taggable("container instance", CONTAINER_INSTANCES, 2, instance_key),
    "task-definition": _Taggable("task definition", TASK_DEFINITIONS, 1, _definition_key),
    "daemon": _Taggable("daemon", DAEMONS, 2, daemon_key),
    "daemon-task-definition": _Taggable(
        "daemon task definition", DAEMON_TASK_DEFINITIONS, 1, _definition_key
    ),
    "service": _Taggable("service", SERVICES, 2, service_key),
    "task-set": _Taggable("task set", TASK_SETS, 4, _task_set_key),
    "capacity-provider": _Taggable("capacity provider", CAPACITY_PROVIDERS, 1, str),
}


def _resource(
    view: View, call: Call, text: str, missing: Callable[[str], ServiceError]
) -> tuple[Kind[Any], Any]:
    arn = parse_arn(text)
    if arn is None or arn.service != "ecs":
        raise errors.invalid_parameter("The ARN provided is invalid.")
    references.check_scope(call, arn)
    type_, *parts = arn.resource.split("/")
    taggable = _TAGGABLE.get(type_)
    if taggable is None or len(parts) > taggable.parts or not all(parts):
        raise errors.invalid_parameter("The ARN provided is invalid.")
    if len(parts) < taggable.parts:
        raise errors.invalid_parameter("Long arn format must be used for tagging operations")
    found = view.get(taggable.kind, call.scope, taggable.key(*parts))
    if isinstance(found, Cluster):
        return taggable.kind, _active(found)
    if found is None:
        raise _not_found(taggable, missing)
    return taggable.kind, found


def _not_found(taggable: _Taggable, missing: Callable[[str], ServiceError]) -> ServiceError:
    if taggable.kind is CLUSTERS:
        return errors.cluster_not_found()
    words = taggable.words
    return missing(f"The specified {words} was not found. Specify a valid {words} and try again.")


def _active(cluster: Cluster) -> Cluster:
    if cluster.status is ClusterStatus.ACTIVE:
        return cluster
    raise errors.invalid_parameter(
        "The specified cluster is inactive. Specify an active cluster and try again."
    )
