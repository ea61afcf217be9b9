"""What operations of Amazon ECS ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic
Container Service". A denial comes before any word on whether the resource exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openecs.api.access import Context, pass_role, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.api.ecs import references
from openecs.model.identity import parse_arn, task_definition_arn
from openecs.store.base import Kind, View
from openecs.store.kinds import (
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    SERVICES,
    TASK_DEFINITIONS,
    TASK_SETS,
    TASKS,
)

#: Who gets the roles of tasks.
TASKS_SERVICE = "ecs-tasks.amazonaws.com"

_KINDS: Mapping[str, Kind[Any]] = {
    "cluster": CLUSTERS,
    "service": SERVICES,
    "task": TASKS,
    "task-set": TASK_SETS,
    "container-instance": CONTAINER_INSTANCES,
    "capacity-provider": CAPACITY_PROVIDERS,
}
#: Members that are condition keys, as they are given.
_TOLD = {
    "enableExecuteCommand": "ecs:enable-execute-command",
    "enableECSManagedTags": "ecs:enable-ecs-managed-tags",
    "propagateTags": "ecs:propagate-tags",
    "cpu": "ecs:task-cpu",
    "memory": "ecs:task-memory",
    "container": "ecs:container-name",
}
#: What is asked on everything, as nothing narrower is named.
_ON_ALL = (
    "DeleteAccountSetting",
    "DeregisterTaskDefinition",
    "DescribeTaskDefinition",
    "DiscoverPollEndpoint",
    "ListAccountSettings",
    "ListClusters",
    "ListServicesByNamespace",
    "ListTaskDefinitionFamilies",
    "ListTaskDefinitions",
    "PutAccountSetting",
    "PutAccountSettingDefault",
)
#: On everything, with the cluster as a condition.
_WITH_CLUSTER = ("ListServices", "ListTasks", "ListAttributes")
_ON_CLUSTER = (
    "CreateCluster",
    "DeleteCluster",
    "DeregisterContainerInstance",
    "ListContainerInstances",
    "PutClusterCapacityProviders",
    "RegisterContainerInstance",
    "SubmitAttachmentStateChanges",
    "SubmitContainerStateChange",
    "SubmitTaskStateChange",
    "UpdateCluster",
    "UpdateClusterSettings",
)
#: Type of resource, to operations and the members that name one, or several.
_ON_PARTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "service": {
        "CreateService": ("serviceName",),
        "UpdateService": ("service",),
        "DeleteService": ("service",),
        "DescribeServices": ("services",),
        "ListServiceDeployments": ("service",),
        "UpdateServicePrimaryTaskSet": ("service",),
    },
    "task": {
        "DescribeTasks": ("tasks",),
        "StopTask": ("task",),
        "ExecuteCommand": ("task",),
        "GetTaskProtection": ("tasks",),
        "UpdateTaskProtection": ("tasks",),
    },
    "container-instance": {
        "DescribeContainerInstances": ("containerInstances",),
        "UpdateContainerInstancesState": ("containerInstances",),
        "UpdateContainerAgent": ("containerInstance",),
    },
}
_ON_TASK_SETS = ("CreateTaskSet", "DeleteTaskSet", "DescribeTaskSets", "UpdateTaskSet")


def _on_all(operation: str) -> Access:
    return lambda _view, _call, _request: (Asked(action=f"ecs:{operation}", resource="*"),)


def _with_cluster(operation: str) -> Access:
    def asks(_: View, call: Call, request: Members) -> Iterator[Asked]:
        context = _in_cluster(call, request)
        yield Asked(action=f"ecs:{operation}", resource="*", context=context)

    return asks


def _on_cluster(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        name = request.get("clusterName") or request.get("cluster")
        yield _asked(view, operation, _cluster(call, name), _context(request))

    return asks


def _clusters(view: View, call: Call, request: Members) -> Iterator[Asked]:
    for reference in request.get("clusters") or ("default",):
        yield _asked(view, "DescribeClusters", _cluster(call, reference), {})


def _on_part(operation: str, word: str, members: Sequence[str]) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        context = {**_in_cluster(call, request), **_definition_context(view, call, request)}
        for reference in _references(request, members):
            arn = _part(call, request.get("cluster"), word, reference)
            yield _asked(view, operation, arn, context)
        yield from _role_of_service(call, request)

    return asks


def _on_task_set(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        cluster = references.cluster_name(call, request.get("cluster"))
        service = references.service_name(call, cluster, request.get("service") or "")
        named = request.get("taskSets") or [request.get("taskSet") or "*"]
        for each in named:
            arn = call.scope.arn("ecs", f"task-set/{cluster}/{service}/{each.rpartition('/')[2]}")
            yield _asked(view, operation, arn, _in_cluster(call, request))

    return asks


def _on_capacity_provider(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        one = request.get("capacityProvider") or request.get("name")
        for reference in request.get("capacityProviders") or [one or "*"]:
            name = references.capacity_provider_name(call, reference)
            arn = call.scope.arn("ecs", f"capacity-provider/{name}")
            yield _asked(view, operation, arn, _context(request))

    return asks


def _start(operation: str) -> Access:
    """Tasks are started on the revision of their task definition."""

    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        arn = _definition(view, call, request.get("taskDefinition") or "")
        yield _asked(view, operation, arn, _in_cluster(call, request))
        overrides = request.get("overrides") or {}
        yield from _roles(overrides)

    return asks


def _register(view: View, call: Call, request: Members) -> Iterator[Asked]:
    arn = call.scope.arn("ecs", f"task-definition/{request.get('family') or ''}:*")
    yield _asked(view, "RegisterTaskDefinition", arn, _context(request))
    yield from _roles(request)


def _create_express(view: View, call: Call, request: Members) -> Iterator[Asked]:
    arn = _part(call, request.get("cluster"), "service", request.get("serviceName") or "*")
    yield _asked(view, "CreateExpressGatewayService", arn, _in_cluster(call, request))
    yield from _roles_of_express(request)


def _update_express(view: View, call: Call, request: Members) -> Iterator[Asked]:
    yield from _on_arn("UpdateExpressGatewayService", "serviceArn")(view, call, request)
    yield from _roles_of_express(request)


def _delete_definitions(view: View, call: Call, request: Members) -> Iterator[Asked]:
    for reference in request.get("taskDefinitions") or ():
        yield _asked(view, "DeleteTaskDefinitions", _definition(view, call, reference), {})


def _on_arn(operation: str, member: str) -> Access:
    """The ARN says it all: tags, deployments, revisions."""

    def asks(view: View, _: Call, request: Members) -> Iterator[Asked]:
        given = request.get(member)
        arns = [given] if isinstance(given, str) else given or ["*"]
        for arn in arns:
            yield _asked(view, operation, arn, _context(request))

    return asks


ACCESS: dict[str, Access] = {
    **{name: _on_all(name) for name in _ON_ALL},
    **{name: _with_cluster(name) for name in _WITH_CLUSTER},
    **{name: _on_cluster(name) for name in _ON_CLUSTER},
    **{
        name: _on_part(name, word, members)
        for word, operations in _ON_PARTS.items()
        for name, members in operations.items()
    },
    **{name: _on_task_set(name) for name in _ON_TASK_SETS},
    **{
        name: _on_capacity_provider(name)
        for name in (
            "CreateCapacityProvider",
            "DeleteCapacityProvider",
            "DescribeCapacityProviders",
            "UpdateCapacityProvider",
        )
    },
    "DescribeClusters": _clusters,
    "RunTask": _start("RunTask"),
    "StartTask": _start("StartTask"),
    "RegisterTaskDefinition": _register,
    "DeleteTaskDefinitions": _delete_definitions,
    "CreateExpressGatewayService": _create_express,
    "UpdateExpressGatewayService": _update_express,
    "DescribeExpressGatewayService": _on_arn("DescribeExpressGatewayService", "serviceArn"),
    "DeleteExpressGatewayService": _on_arn("DeleteExpressGatewayService", "serviceArn"),
    "TagResource": _on_arn("TagResource", "resourceArn"),
    "UntagResource": _on_arn("UntagResource", "resourceArn"),
    "ListTagsForResource": _on_arn("ListTagsForResource", "resourceArn"),
    "DescribeServiceDeployments": _on_arn("DescribeServiceDeployments", "serviceDeploymentArns"),
    "DescribeServiceRevisions": _on_arn("DescribeServiceRevisions", "serviceRevisionArns"),
    "StopServiceDeployment": _on_arn("StopServiceDeployment", "serviceDeploymentArn"),
    "ContinueServiceDeployment": _on_arn("ContinueServiceDeployment", "serviceDeploymentArn"),
}


def _asked(view: View, operation: str, arn: str, context: Context) -> Asked:
    tags = resource_tags(_tags(view, arn), "ecs")
    return Asked(action=f"ecs:{operation}", resource=arn, context={**tags, **context})


def _cluster(call: Call, reference: str | None) -> str:
    return call.scope.arn("ecs", f"cluster/{references.cluster_name(call, reference)}")


def _part(call: Call, cluster: str | None, word: str, reference: str) -> str:
    """The ARN of a service, task or container instance; old ARNs name no cluster."""
    name = reference.rpartition("/")[2] or reference
    return call.scope.arn("ecs", f"{word}/{references.cluster_name(call, cluster)}/{name}")


def _references(request: Members, members: Sequence[str]) -> Iterable[str]:
    """The references that a request names, one or several; without any it names all."""
    for member in members:
        given = request.get(member)
        if given:
            return [given] if isinstance(given, str) else given
    return ["*"]


def _definition(view: View, call: Call, reference: str) -> str:
    """The ARN of the revision that is meant; of what is not there, what would be."""
    found = references.find_definition(view, call, reference)
    if found is not None:
        return task_definition_arn(found.scope, found.family, found.revision)
    parsed = references.definition_reference(call, reference)
    revision = parsed.revision if parsed.revision is not None else "*"
    return call.scope.arn("ecs", f"task-definition/{parsed.family}:{revision}")


def _in_cluster(call: Call, request: Members) -> Context:
    return {**_context(request), "ecs:cluster": (_cluster(call, request.get("cluster")),)}


def _context(request: Members) -> Context:
    told: dict[str, tuple[str, ...]] = {}
    for member, key in _TOLD.items():
        if (value := request.get(member)) is not None:
            told[key] = (str(value).lower() if isinstance(value, bool) else str(value),)
    tags = [(tag.get("key") or "", tag.get("value") or "") for tag in request.get("tags") or ()]
    return {**told, **request_tags(tags)}


def _definition_context(view: View, call: Call, request: Members) -> Context:
    given = request.get("taskDefinition")
    return {"ecs:task-definition": (_definition(view, call, given),)} if given else {}


def _roles(given: Mapping[str, Any]) -> Iterator[Asked]:
    for member in ("taskRoleArn", "executionRoleArn"):
        if (arn := given.get(member) or "").startswith("arn:"):
            yield pass_role(arn, TASKS_SERVICE)


def _roles_of_express(request: Members) -> Iterator[Asked]:
    yield from _roles(request)
    if (arn := request.get("infrastructureRoleArn") or "").startswith("arn:"):
        yield pass_role(arn, "ecs.amazonaws.com")


def _role_of_service(call: Call, request: Members) -> Iterator[Asked]:
    role = request.get("role")
    if role:
        arn = role if role.startswith("arn:") else f"arn:aws:iam::{call.scope.account}:role/{role}"
        yield pass_role(arn, "ecs.amazonaws.com")


def _tags(view: View, arn: str) -> Mapping[str, str]:
    """The tags of what has the ARN; of nothing, none."""
    parsed = parse_arn(arn)
    if parsed is None:
        return {}
    word, _, name = parsed.resource.partition("/")
    if word == "task-definition":
        family, _, revision = name.partition(":")
        definition = view.get(TASK_DEFINITIONS, parsed.scope, f"{family}:{revision:0>7}")
        return definition.tags if definition is not None else {}
    kind: Kind[Any] | None = _KINDS.get(word)
    found = view.get(kind, parsed.scope, name) if kind is not None else None
    return found.tags if found is not None else {}
