"""What RunTask and StartTask ask for, checked in AWS's order before anything is placed.

API Reference, ``RunTask``, ``StartTask``; texts as public traces show them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from openecs.api import shapes
from openecs.api.base import Call, Members
from openecs.api.ecs import errors, references, subnets, tags
from openecs.api.ecs.task_definition_members import size
from openecs.api.ecs.task_definition_rules import complaint
from openecs.decide.refusals import refusals
from openecs.model.clusters import Cluster
from openecs.model.task_definitions import (
    ContainerDefinition,
    NetworkMode,
    PlacementConstraint,
    PlacementStrategy,
    TaskDefinition,
    TaskDefinitionStatus,
)
from openecs.model.tasks import (
    ContainerOverride,
    NetworkConfiguration,
    ServedGroup,
    TaskOverride,
)
from openecs.store.base import View

OVERRIDES_LIMIT = 8192
STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{1,128}")
GROUP_LIMIT = 255
REFERENCE_LIMIT = 1024
SUBNETS, SECURITY_GROUPS = 16, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """A checked request for tasks of one definition."""

    cluster: Cluster
    definition: TaskDefinition
    overrides: TaskOverride
    group: str
    started_by: str | None
    network_configuration: NetworkConfiguration | None
    tags: dict[str, str]
    served_groups: tuple[ServedGroup, ...] = ()
    enable_execute_command: bool = False

    @property
    def sized(self) -> TaskDefinition:
        """The definition with the sizes that the overrides give it."""
        return _sized(self.definition, self.overrides)


def parse(view: View, call: Call, request: Members) -> TaskRequest:
    """The request, or the error AWS would give. Raises ``ServiceError``."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    _check_reference(request.get("referenceId"))
    started_by = _started_by(request.get("startedBy"))
    own_tags = tags.parse(request.get("tags"))
    definition = _runnable_definition(view, call, request["taskDefinition"])
    check_can_run(call, definition, request)
    if request.get("propagateTags") == "SERVICE":
        raise errors.invalid_parameter("The propagateTags value SERVICE is only for services.")
    return TaskRequest(
        cluster=cluster,
        definition=definition,
        overrides=_overrides(definition, request.get("overrides") or {}),
        group=_group(request.get("group"), definition),
        started_by=started_by,
        network_configuration=network(view, call, definition, request.get("networkConfiguration")),
        tags=_all_tags(cluster, definition, request, own_tags),
        enable_execute_command=bool(request.get("enableExecuteCommand")),
    )


def placement_constraints(request: Members) -> tuple[PlacementConstraint, ...]:
    """The constraints of a request. Raises ``InvalidParameterException``."""
    given = request.get("placementConstraints") or ()
    constraints = tuple(shapes.from_members(PlacementConstraint, each) for each in given)
    if len(constraints) > 10:
        raise errors.invalid_parameter("Placement constraints cannot have more than 10 elements.")
    if any(c.type == "memberOf" and not c.expression for c in constraints):
        raise errors.invalid_parameter("The expression of a memberOf constraint cannot be empty.")
    return constraints


def placement_strategies(request: Members) -> tuple[PlacementStrategy, ...]:
    """The strategies of a request, not yet checked against what there is."""
    given = request.get("placementStrategy") or ()
    if len(given) > 5:
        raise errors.invalid_parameter("Placement strategy cannot have more than 5 elements.")
    return tuple(shapes.from_members(PlacementStrategy, each) for each in given)


def without_overrides(definition: TaskDefinition) -> TaskOverride:
    """The overrides of a task that has none: every container is listed with an empty one."""
    return TaskOverride(container_overrides=_of_each(definition, ()))


def check_can_run(call: Call, definition: TaskDefinition, request: Members) -> None:
    """Raise ``ServiceError`` for what a definition or a request needs and is not built."""
    reasons = refusals(definition, call.settings.file_systems)
    if reasons:
        raise errors.client(reasons[0])
    if request.get("volumeConfigurations"):
        raise errors.client("OpenECS has no EBS volumes: remove volumeConfigurations.")


def _runnable_definition(view: View, call: Call, reference: str) -> TaskDefinition:
    definition = references.find_definition(view, call, reference)
    if definition is None:
        raise errors.definition_not_found()
    if definition.status is not TaskDefinitionStatus.ACTIVE:
        raise errors.definition_inactive()
    return definition


def _check_reference(text: str | None) -> None:
    if len(text or "") > REFERENCE_LIMIT:
        raise errors.invalid_parameter(
            f"The reference ID must have a maximum length of {REFERENCE_LIMIT} characters."
        )


def _started_by(text: str | None) -> str | None:
    if text and not STARTED_BY.fullmatch(text):
        raise errors.invalid_parameter("startedBy is not valid: up to 128 letters, digits, - _ /")
    return text or None


def _group(text: str | None, definition: TaskDefinition) -> str:
    if not text:
        return f"family:{definition.family}"
    if text.startswith(("service:", "daemon:")):
        raise errors.invalid_parameter("Invalid namespace for group.")
    if len(text) > GROUP_LIMIT:
        raise errors.invalid_parameter("Group cannot be longer than 255 characters.")
    return text


def _all_tags(
    cluster: Cluster, definition: TaskDefinition, request: Members, own: dict[str, str]
) -> dict[str, str]:
    inherited = definition.tags if request.get("propagateTags") == "TASK_DEFINITION" else {}
    managed = {"aws:ecs:clusterName": cluster.name} if request.get("enableECSManagedTags") else {}
    return {**managed, **inherited, **own}


def network(
    view: View, call: Call, definition: TaskDefinition, given: Members | None
) -> NetworkConfiguration | None:
    """The network configuration, which awsvpc needs and others cannot have."""
    awsvpc = (given or {}).get("awsvpcConfiguration")
    if definition.effective_network_mode is not NetworkMode.AWSVPC:
        if awsvpc:
            raise errors.invalid_parameter(
                "Network Configuration is not valid for the given networkMode of this task "
                "definition."
            )
        return None
    if not awsvpc:
        raise errors.invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    _check_members(awsvpc.get("subnets") or (), "subnets", "subnet-", SUBNETS)
    if not awsvpc.get("subnets"):
        raise errors.invalid_parameter("subnets can not be empty.")
    _check_members(awsvpc.get("securityGroups") or (), "securityGroups", "sg-", SECURITY_GROUPS)
    parsed = shapes.from_members(NetworkConfiguration, awsvpc)
    subnets.check(view, call, parsed)
    return parsed


def _check_members(ids: Sequence[str], member: str, prefix: str, limit: int) -> None:
    if len(ids) > limit:
        raise errors.invalid_parameter(f"{member} can have at most {limit} items.")
    for each in ids:
        if not each.startswith(prefix):
            raise errors.invalid_parameter(f"Invalid identifier in {member}: {each}")


def _overrides(definition: TaskDefinition, given: Members) -> TaskOverride:
    if len(json.dumps(given, default=str)) > OVERRIDES_LIMIT:
        raise errors.invalid_parameter("Overrides can be at most 8192 characters long.")
    containers = given.get("containerOverrides") or ()
    for each in containers:
        if definition.container(each.get("name") or "") is None:
            raise errors.invalid_parameter(
                f"Override for container named {each.get('name')} is not a container in the "
                "TaskDefinition."
            )
        if each.get("resourceRequirements"):
            raise errors.client("OpenECS cannot give a container resourceRequirements.")
    if given.get("inferenceAcceleratorOverrides"):
        raise errors.client("OpenECS has no inference accelerators.")
    sizes = {"cpu": size(given, "cpu", "vCPU"), "memory": size(given, "memory", "GB")}
    parsed = shapes.from_members(TaskOverride, {**given, "containerOverrides": None, **sizes})
    overrides = replace(parsed, container_overrides=_of_each(definition, containers))
    # What could not have been registered cannot come about by overrides either.
    problem = complaint(_sized(definition, overrides)) if given else None
    if problem:
        raise errors.client(problem)
    return overrides


def _of_each(definition: TaskDefinition, given: Sequence[Members]) -> tuple[ContainerOverride, ...]:
    """Every container has its override, an empty one too: so AWS lists them."""
    by_name = {each["name"]: shapes.from_members(ContainerOverride, each) for each in given}
    return tuple(
        by_name.get(c.name, ContainerOverride(name=c.name))
        for c in definition.container_definitions
    )


def _sized(definition: TaskDefinition, overrides: TaskOverride) -> TaskDefinition:
    return replace(
        definition,
        cpu=overrides.cpu or definition.cpu,
        memory=overrides.memory or definition.memory,
        ephemeral_storage=overrides.ephemeral_storage or definition.ephemeral_storage,
        container_definitions=tuple(
            _sized_container(c, overrides.of(c.name)) for c in definition.container_definitions
        ),
    )


def _sized_container(
    container: ContainerDefinition, override: ContainerOverride
) -> ContainerDefinition:
    return replace(
        container,
        cpu=container.cpu if override.cpu is None else override.cpu,
        memory=override.memory or container.memory,
        memory_reservation=override.memory_reservation or container.memory_reservation,
    )
