"""A new task's record, as it is before anybody has done anything for it."""

from __future__ import annotations

from dataclasses import dataclass

from openecs.api.base import Call
from openecs.api.ecs.task_requests import TaskRequest
from openecs.decide.placement.ask import Ask
from openecs.model.task_definitions import (
    Attribute,
    ContainerDefinition,
    EphemeralStorage,
    NamedValue,
    NetworkMode,
)
from openecs.model.tasks import (
    Attachment,
    Container,
    LaunchType,
    NetworkConfiguration,
    Task,
    TaskStatus,
)

ARCHITECTURE = "ecs.cpu-architecture"
FARGATE_STORAGE = EphemeralStorage(size_in_gib=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where placement sends a task."""

    launch_type: LaunchType
    machine: str
    architecture: str
    availability_zone: str
    container_instance: str | None = None
    capacity_provider: str | None = None
    platform_version: str | None = None


def new_task(call: Call, wanted: TaskRequest, ask: Ask, destination: Destination) -> Task:
    """The task, PENDING, or PROVISIONING where it waits for a network interface of its own."""
    definition = wanted.sized
    awsvpc = definition.effective_network_mode is NetworkMode.AWSVPC
    fargate = destination.launch_type is LaunchType.FARGATE
    return Task(
        scope=call.scope,
        cluster=wanted.cluster.name,
        id=call.ids.hex32(),
        family=definition.family,
        revision=definition.revision,
        launch_type=destination.launch_type,
        capacity_provider=destination.capacity_provider,
        container_instance=destination.container_instance,
        machine=destination.machine,
        last_status=TaskStatus.PROVISIONING if awsvpc else TaskStatus.PENDING,
        containers=tuple(_container(call, c) for c in definition.container_definitions),
        overrides=wanted.overrides,
        cpu=ask.cpu,
        memory=ask.memory,
        host_ports=tuple(sorted(ask.host_ports)),
        group=wanted.group,
        started_by=wanted.started_by,
        attributes=(Attribute(name=ARCHITECTURE, value=destination.architecture),),
        attachments=_interface(call, wanted.network_configuration),
        network_configuration=wanted.network_configuration,
        availability_zone=destination.availability_zone,
        platform_version=destination.platform_version,
        platform_family="Linux" if fargate else None,
        ephemeral_storage=definition.ephemeral_storage or (FARGATE_STORAGE if fargate else None),
        enable_execute_command=wanted.enable_execute_command,
        created_at=call.now,
        served_groups=wanted.served_groups,
        tags=wanted.tags,
    )


def _container(call: Call, sized: ContainerDefinition) -> Container:
    return Container(
        id=call.ids.uuid(),
        name=sized.name,
        image=sized.image,
        cpu=sized.cpu,
        memory=sized.memory,
        memory_reservation=sized.memory_reservation,
    )


def _interface(call: Call, network: NetworkConfiguration | None) -> tuple[Attachment, ...]:
    if network is None:
        return ()
    details = (
        NamedValue(name="subnetId", value=network.subnets[0]),
        NamedValue(name="networkInterfaceId", value=f"eni-{call.ids.hex32()[:17]}"),
    )
    return (
        Attachment(
            id=call.ids.uuid(),
            type="ElasticNetworkInterface",
            status="PRECREATED",
            details=details,
        ),
    )
