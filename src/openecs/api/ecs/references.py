"""What a request means by a name, an id or an ARN, and the errors for those that mean nothing.

Resources are named by ``name`` or full ARN; an ARN must be of the caller's account and region, and
of the cluster the request is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from openecs.api.base import Call
from openecs.api.ecs import errors
from openecs.model.clusters import Cluster, ClusterStatus
from openecs.model.identity import Arn, parse_arn
from openecs.model.task_definitions import TaskDefinition, TaskDefinitionStatus
from openecs.store.base import View
from openecs.store.kinds import CLUSTERS, TASK_DEFINITIONS, task_definition_key

DEFAULT_CLUSTER = "default"

#: Names of clusters, services, families and containers.
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")

_TOO_MANY_SEPARATORS = "Invalid identifier: Unexpected number of separators"
_ID_LENGTHS = (32, 36)
_BATCH = 20


@dataclass(frozen=True, slots=True)
class DefinitionReference:
    """A family, and one of its revisions or (None) its latest ACTIVE one."""

    family: str
    revision: int | None


def cluster_name(call: Call, reference: str | None) -> str:
    """The name of the cluster a request means; without a reference it is ``default``.

    Raises ``InvalidParameterException`` for what can name no cluster of the caller's.
    """
    if not reference:
        return DEFAULT_CLUSTER
    name = _resource(call, reference, "cluster")
    if "/" in name:
        raise errors.invalid_parameter(_TOO_MANY_SEPARATORS)
    return name


def active_cluster(view: View, call: Call, reference: str | None) -> Cluster:
    """The cluster a request means. Raises ``ClusterNotFoundException`` unless it is ACTIVE."""
    found = view.get(CLUSTERS, call.scope, cluster_name(call, reference))
    if found is None:
        raise errors.cluster_not_found()
    if found.status is not ClusterStatus.ACTIVE:
        raise errors.cluster_inactive()
    return found


def task_id(call: Call, cluster: str, reference: str) -> str:
    """The id of a task of ``cluster``. Raises ``InvalidParameterException``: it can be none."""
    return _id_in_cluster(call, cluster, reference, "task", "taskId")


def instance_id(call: Call, cluster: str, reference: str) -> str:
    """The id of a container instance of ``cluster``. Raises ``InvalidParameterException``."""
    return _id_in_cluster(call, cluster, reference, "container-instance", "containerInstanceId")


def service_name(call: Call, cluster: str, reference: str) -> str:
    """The name of a service of ``cluster``. Raises ``InvalidParameterException``."""
    return _name_in_cluster(call, cluster, reference, "service")


def capacity_provider_name(call: Call, reference: str) -> str:
    """The name of a capacity provider. Raises ``InvalidParameterException``."""
    return _resource(call, reference, "capacity-provider")


def definition_reference(call: Call, reference: str) -> DefinitionReference:
    """The task definition of ``family``, ``family:revision`` or an ARN, whether it exists or not.

    Raises ``ClientException`` for a revision that is no number, ``InvalidParameterException`` for
    an ARN of somewhere else.
    """
    name = _resource(call, reference, "task-definition")
    family, colon, revision = name.partition(":")
    if not colon:
        return DefinitionReference(family, None)
    if not re.fullmatch(r"[0-9]{1,7}", revision):
        raise errors.client(f"Invalid revision number. Number: {revision}")
    return DefinitionReference(family, int(revision))


def find_definition(view: View, call: Call, reference: str) -> TaskDefinition | None:
    """The task definition a request means, of any status where it names the revision, or None."""
    parsed = definition_reference(call, reference)
    if parsed.revision is not None:
        key = task_definition_key(parsed.family, parsed.revision)
        return view.get(TASK_DEFINITIONS, call.scope, key)
    newest = newest_first(view, call, parsed.family)
    return next((d for d in newest if d.status is TaskDefinitionStatus.ACTIVE), None)


def newest_first(view: View, call: Call, family: str) -> Iterator[TaskDefinition]:
    """The revisions of a family, fetched as they are needed: mostly the first is the one."""
    after, limit = "", 1
    while True:
        batch = view.scan(
            TASK_DEFINITIONS,
            call.scope,
            prefix=f"{family}:",
            after=after,
            limit=limit,
            descending=True,
        )
        yield from batch
        if len(batch) < limit:
            return
        after, limit = TASK_DEFINITIONS.key(batch[-1]), _BATCH


def check_scope(call: Call, arn: Arn) -> None:
    """Raise ``InvalidParameterException`` for an ARN of another account or region."""
    for name, theirs, ours in (
        ("accountId", arn.account, call.scope.account),
        ("region", arn.region, call.scope.region),
    ):
        if theirs != ours:
            raise _elsewhere(name, theirs, ours)


def _resource(call: Call, reference: str, kind: str) -> str:
    """What stands behind ``kind/`` in an ARN, or the reference itself where it is none."""
    if not reference.startswith("arn:"):
        return reference
    arn = parse_arn(reference)
    if arn is None or arn.service != "ecs":
        raise errors.invalid_parameter("The ARN provided is invalid.")
    check_scope(call, arn)
    type_, _, name = arn.resource.partition("/")
    if type_ != kind or not name:
        raise errors.invalid_parameter("The ARN provided is invalid.")
    return name


def _elsewhere(name: str, theirs: str, ours: str) -> Exception:
    return errors.invalid_parameter(
        f"Invalid identifier: Identifier is for {name} {theirs}. Your {name} is {ours}"
    )


def _id_in_cluster(call: Call, cluster: str, reference: str, kind: str, member: str) -> str:
    name = _name_in_cluster(call, cluster, reference, kind)
    if len(name) not in _ID_LENGTHS:
        raise errors.invalid_parameter(f"{member} length should be one of [32,36]")
    return name


def _name_in_cluster(call: Call, cluster: str, reference: str, kind: str) -> str:
    """The last part of ``name``, ``cluster/name`` or an ARN, whose cluster must be ``cluster``."""
    match _resource(call, reference, kind).split("/"):
        case [name]:
            return name
        case [theirs, name] if theirs == cluster:
            return name
        case [theirs, _]:
            raise _elsewhere("cluster", theirs, cluster)
        case _:
            raise errors.invalid_parameter(_TOO_MANY_SEPARATORS)
