"""The target groups of a service: what CreateService, UpdateService and CreateTaskSet name.

API Reference, ``LoadBalancer``; texts as public traces show them.
"""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api import shapes
from openecs.api.base import Call, Members, ServiceError
from openecs.api.ecs import errors, traffic_rules
from openecs.decide import serving
from openecs.decide.forwarding import forwarded_groups
from openecs.decide.network import port_range
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import TargetGroup, TargetType
from openecs.model.services import ServiceLoadBalancer
from openecs.model.task_definitions import ContainerDefinition, NetworkMode, TaskDefinition
from openecs.store.base import View
from openecs.store.kinds import LISTENERS, RULES, TARGET_GROUPS

#: Target groups of one service.
LIMIT = 5


def parse(
    view: View, call: Call, definition: TaskDefinition, request: Members
) -> tuple[ServiceLoadBalancer, ...]:
    """The target groups that tasks of the definition are to serve. Raises ``ServiceError``."""
    given: Sequence[Members] = request.get("loadBalancers") or ()
    if not given:
        return ()
    if len(given) > LIMIT:
        raise errors.invalid_parameter("load balancers can have at most 5 items.")
    _check_generation(given)
    parsed = tuple(_parse(each) for each in given)
    used = forwarded_groups(view.scan(LISTENERS, call.scope), view.scan(RULES, call.scope))
    traffic_rules.check(view, parsed)
    for each in parsed:
        for arn in dict.fromkeys((each.group(alternate=False), each.group(alternate=True))):
            group = find(view, call, arn)
            _check_group(definition, group)
            if group.arn not in used:
                raise errors.invalid_parameter(
                    f"The target group with targetGroupArn {group.arn} does not have an associated "
                    "load balancer."
                )
            _check_port(definition, each, group)
    return parsed


def show(load_balancers: Sequence[ServiceLoadBalancer]) -> list[Members]:
    """The members of the target groups of a service."""
    return [shapes.to_members(each) for each in load_balancers]


def find(view: View, call: Call, arn: str) -> TargetGroup:
    """The target group. Raises ``InvalidParameterException``."""
    parsed = parse_arn(arn)
    name = parsed.resource.removeprefix("targetgroup/") if parsed else ""
    group = view.get(TARGET_GROUPS, call.scope, name)
    if group is None or group.arn != arn:
        raise errors.invalid_parameter("The specified target group does not exist.")
    return group


def _check_generation(given: Sequence[Members]) -> None:
    kinds = {"targetGroupArn" if each.get("targetGroupArn") else "name" for each in given}
    if len(kinds) > 1:
        raise errors.invalid_parameter(
            "All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 "
            "(defining targetGroupArn)"
        )
    if kinds == {"name"}:
        raise errors.invalid_parameter(
            "OpenECS has no Classic Load Balancers: name a target group by targetGroupArn."
        )
    advanced = [bool(each.get("advancedConfiguration")) for each in given]
    if any(advanced) and not all(advanced):
        raise errors.invalid_parameter(
            "Either all or none of the provided loadBalancers must have advancedConfiguration "
            "defined"
        )


def _parse(given: Members) -> ServiceLoadBalancer:
    for member in ("containerName", "containerPort"):
        if given.get(member) is None:
            raise _missing(member)
    return ServiceLoadBalancer(
        target_group_arn=given["targetGroupArn"],
        container_name=given["containerName"],
        container_port=given["containerPort"],
        advanced_configuration=traffic_rules.parse(given.get("advancedConfiguration")),
    )


def _missing(member: str) -> ServiceError:
    words = {"containerName": "Container name", "containerPort": "Container port"}
    return errors.invalid_parameter(f"{words[member]} should not be null or empty.")


def _check_group(definition: TaskDefinition, group: TargetGroup) -> None:
    mode = definition.effective_network_mode
    if mode is NetworkMode.NONE:
        raise errors.invalid_parameter(
            "Load balancers are not supported for tasks with the none network mode."
        )
    wanted = TargetType.IP if mode is NetworkMode.AWSVPC else TargetType.INSTANCE
    if group.target_type is not wanted:
        raise errors.invalid_parameter(
            f"The provided target group {group.arn} has target type {group.target_type}, which is "
            f"incompatible with the {mode} network mode specified in the task definition."
        )


def _check_port(
    definition: TaskDefinition, wanted: ServiceLoadBalancer, group: TargetGroup
) -> None:
    container = definition.container(wanted.container_name)
    if container is None:
        raise errors.invalid_parameter(
            f"The container {wanted.container_name} does not exist in the task definition."
        )
    missing = (
        f"The container {wanted.container_name} did not have a container port "
        f"{wanted.container_port} defined"
    )
    protocols = _protocols(container, wanted.container_port)
    if not protocols:
        raise errors.invalid_parameter(f"{missing}.")
    # A task with an address of its own has all protocols of the port there.
    if definition.effective_network_mode is NetworkMode.AWSVPC:
        return
    if not any(serving.is_served_by(group.protocol or "", each) for each in protocols):
        raise errors.invalid_parameter(
            f"{missing} for the protocol {group.protocol} of the target group {group.arn}."
        )


def _protocols(container: ContainerDefinition, port: int) -> set[str]:
    """The protocols that a port of a container is mapped for."""
    return {
        mapping.protocol
        for mapping in container.port_mappings
        if mapping.container_port == port
        or (mapping.container_port_range and port in port_range(mapping.container_port_range))
    }
