"""The revisions of a service: what each of its deployments runs.

API Reference, ``ServiceRevision``.
"""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.ecs import errors, express_resources
from openecs.api.ecs.service_parts import key_of, named, show_owner
from openecs.api.ecs.service_views import show_launch, show_served, tasks_of
from openecs.model.services import Deployment, ServiceRevision, TaskSet
from openecs.store.base import View
from openecs.store.kinds import (
    SERVICE_REVISIONS,
    SERVICES,
    TASK_DEFINITIONS,
    TASK_SETS,
    service_key,
    task_definition_key,
)


def describe_service_revisions(view: View, call: Call, request: Members) -> Members:
    """The named service revisions."""
    found, failures = [], []
    for arn in named(request, "serviceRevisionArns"):
        revision = view.get(SERVICE_REVISIONS, call.scope, key_of(call, arn, "service-revision"))
        if revision is None:
            failures.append(errors.failure(arn, "MISSING"))
        else:
            found.append(_show(view, revision))
    return {"serviceRevisions": found, "failures": failures}


OPERATIONS: dict[str, Operation] = {
    "DescribeServiceRevisions": Reads(describe_service_revisions),
}


def _show(view: View, revision: ServiceRevision) -> Members:
    return {
        "serviceRevisionArn": revision.arn,
        **show_owner(revision),
        "taskDefinition": revision.task_definition_arn,
        **show_launch(revision),
        "loadBalancers": show_served(revision),
        "serviceRegistries": [],
        "containerImages": _images(view, revision),
        "guardDutyEnabled": False,
        "createdAt": revision.created_at,
        "resolvedConfiguration": _resolved(revision),
        "ecsManagedResources": express_resources.show(view, revision),
    }


def _resolved(revision: ServiceRevision) -> Members | None:
    """The target groups that the revision's tasks came to serve, of those it may."""
    found = [
        {
            "targetGroupArn": each.group(alternate=revision.on_alternate),
            "productionListenerRule": each.advanced_configuration.production_listener_rule,
        }
        for each in revision.load_balancers
        if each.advanced_configuration
    ]
    return {"loadBalancers": found} if found else None


def _images(view: View, revision: ServiceRevision) -> list[Members]:
    """The images of the revision's containers, with the digests that its tasks came to know."""
    key = task_definition_key(revision.family, revision.revision)
    definition = view.get(TASK_DEFINITIONS, revision.scope, key)
    if definition is None:
        return []
    digests = _digests(view, revision)
    return [
        {"containerName": c.name, "image": c.image, "imageDigest": digests.get(c.name)}
        for c in definition.container_definitions
    ]


def _digests(view: View, revision: ServiceRevision) -> dict[str, str]:
    service = view.get(SERVICES, revision.scope, service_key(revision.cluster, revision.service))
    if service is None:
        return {}
    task_sets = view.scan(TASK_SETS, service.scope, prefix=f"{SERVICES.key(service)}/")
    starters: tuple[Deployment | TaskSet, ...] = (*service.deployments, *task_sets)
    own = {each.id for each in starters if each.revision.id == revision.id}
    tasks = [t for t in tasks_of(view, service) if t.started_by in own]
    return {c.name: c.image_digest for t in tasks for c in t.containers if c.image_digest}
