"""From a task to the containers that make it: pure, and the same every time.

The mapping is the ECS agent's: names, labels, CPU shares, namespaces, environment. Everything has a
name that follows from the task, so that a repeated effect finds what the first one made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from openecs.model.containers import PAUSE
from openecs.model.task_definitions import (
    ContainerDefinition,
    Device,
    LogConfiguration,
    NetworkMode,
    PortMapping,
    TaskDefinition,
)
from openecs.model.tasks import LaunchType, Task
from openecs.runtime import log_driver, volumes
from openecs.runtime.base import (
    LABEL_CLUSTER,
    LABEL_CONTAINER_NAME,
    LABEL_FAMILY,
    LABEL_INSTALLATION,
    LABEL_TASK_ARN,
    LABEL_VERSION,
    LABEL_VOLUMES,
    PAUSE_IMAGE,
    ContainerSpec,
    DeviceSpec,
    Mount,
    PortBinding,
    TaskGroupSpec,
    VolumeSpec,
)
from openecs.runtime.environment import Fetched, environment_of

MIB = 1024 * 1024
CPU_PERIOD = 100_000
CPU_UNITS = 1024
SHARES_MIN, SHARES_MAX = 2, 262_144
#: Docker's own minimum for a container's memory, which the ECS agent raises smaller limits to.
MEMORY_MIN = 6 * MIB
#: The ports the engine may choose from for a port mapping without a host port.
DYNAMIC_PORTS = (49_153, 65_535)
FARGATE_NOFILE = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """Everything of a task in the engine; ``containers`` by their names in the definition."""

    group: TaskGroupSpec | None
    volumes: tuple[VolumeSpec, ...]
    pause: ContainerSpec | None
    containers: Mapping[str, ContainerSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlace:
    """Where an awsvpc task stands: a network of the engine, its address there, and who knows names.

    No name servers: the engine's.
    """

    network: str
    address: str
    dns_servers: tuple[str, ...] = ()
    dns_search_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Build:
    """What every container of a task is made from."""

    task: Task
    definition: TaskDefinition
    labels: Mapping[str, str]
    #: Volume name to what a mount of it refers to.
    sources: Mapping[str, Mount]
    fetched: Fetched
    group: TaskGroupSpec | None
    place: TaskPlace | None


def containers_of(
    task: Task,
    definition: TaskDefinition,
    *,
    installation: str,
    fetched: Fetched,
    file_systems: Mapping[str, str],
    place: TaskPlace | None = None,
) -> TaskSpec:
    """What the engine has to make for a task; one of mode awsvpc has a ``place``.

    ``file_systems`` maps file system ids to local paths.
    Raises ``CannotCreateVolume`` where a file system is mapped to no path.
    """
    build = _Build(
        task,
        definition,
        _labels(task, definition, installation),
        {v.name: volumes.source(task, v, file_systems) for v in definition.volumes},
        fetched,
        _group(task, definition),
        place,
    )
    return TaskSpec(
        group=build.group,
        volumes=volumes.to_make(task, definition),
        pause=_pause(build) if needs_pause(definition) else None,
        containers={c.name: _container(build, c) for c in definition.container_definitions},
    )


def without_group(prepared: TaskSpec) -> TaskSpec:
    """The same task where the process may not make cgroups: each container gets the task's caps."""
    group = prepared.group
    if group is None:
        return prepared
    containers = {
        name: replace(
            spec,
            cgroup_parent="",
            cpu_quota=group.cpu_quota,
            memory=min(spec.memory or group.memory, group.memory or spec.memory),
        )
        for name, spec in prepared.containers.items()
    }
    pause = replace(prepared.pause, cgroup_parent="") if prepared.pause else None
    return replace(prepared, group=None, containers=containers, pause=pause)


def container_name(task: Task, name: str) -> str:
    """The engine's name for a container: ``ecs-FAMILY-REVISION-NAME-`` and 20 digits of its own."""
    digest = hashlib.sha256(f"{task.arn} {name}".encode()).hexdigest()[:20]
    plain = re.sub(r"[^A-Za-z0-9-]", "", name)
    return f"ecs-{task.family}-{task.revision}-{plain}-{digest}"


def pause_name(task: Task) -> str:
    """The engine's name for the container that owns the task's namespaces."""
    return container_name(task, PAUSE)


def group_name(task: Task) -> str:
    """The cgroup above all containers of the task."""
    return f"/ecs/{task.id}"


def needs_pause(definition: TaskDefinition) -> bool:
    """Whether a container of ours owns namespaces that the task's containers share."""
    shares = "task" in {definition.pid_mode, definition.ipc_mode}
    return shares or definition.effective_network_mode is NetworkMode.AWSVPC


def _labels(task: Task, definition: TaskDefinition, installation: str) -> dict[str, str]:
    return {
        LABEL_INSTALLATION: installation,
        LABEL_TASK_ARN: task.arn,
        LABEL_CLUSTER: task.cluster,
        LABEL_FAMILY: task.family,
        LABEL_VERSION: str(task.revision),
        LABEL_VOLUMES: " ".join(volumes.of_task(task, definition)),
    }


def _group(task: Task, definition: TaskDefinition) -> TaskGroupSpec | None:
    """The limits of the whole task: those given at task level, in the definition or by override."""
    cpu = task.overrides.cpu or definition.cpu or 0
    memory = task.overrides.memory or definition.memory or 0
    if not cpu and not memory:
        return None
    return TaskGroupSpec(
        cgroup_parent=group_name(task),
        cpu_quota=cpu * CPU_PERIOD // CPU_UNITS,
        memory=memory * MIB,
    )


def _pause(build: _Build) -> ContainerSpec:
    place = build.place
    containers = build.definition.container_definitions
    return ContainerSpec(
        name=pause_name(build.task),
        image=PAUSE_IMAGE,
        labels={**build.labels, LABEL_CONTAINER_NAME: PAUSE},
        network_mode=place.network if place else "none",
        ip_address=place.address if place else "",
        dns_servers=place.dns_servers if place else (),
        dns_search_domains=place.dns_search_domains if place else (),
        ipc_mode="shareable" if build.definition.ipc_mode == "task" else "",
        init=build.definition.pid_mode == "task",
        cgroup_parent=build.group.cgroup_parent if build.group else "",
        sysctls=_sysctls(build.definition, *containers, shared=True),
    )


def _container(build: _Build, definition: ContainerDefinition) -> ContainerSpec:
    task, override = build.task, build.task.overrides.of(definition.name)
    logs = definition.log_configuration
    driver, driver_options = log_driver.engine_driver(logs)
    spec = ContainerSpec(
        name=container_name(task, definition.name),
        image=definition.image,
        labels={
            **(definition.docker_labels or {}),
            **build.labels,
            LABEL_CONTAINER_NAME: definition.name,
            **log_driver.labels(logs),
        },
        entry_point=definition.entry_point,
        command=override.command or definition.command,
        environment=environment_of(task, definition, build.fetched),
        working_directory=definition.working_directory or "",
        user=definition.user or "",
        privileged=bool(definition.privileged),
        readonly_root_filesystem=bool(definition.readonly_root_filesystem),
        security_options=definition.docker_security_options,
        ulimits=definition.ulimits,
        open_files=FARGATE_NOFILE if task.launch_type is LaunchType.FARGATE else 0,
        interactive=bool(definition.interactive),
        tty=bool(definition.pseudo_terminal),
        health_check=definition.health_check,
        log_driver=driver,
        log_options={**driver_options, **_secret_options(logs, build.fetched)},
        mounts=tuple(volumes.mounts(definition, build.sources)),
        volumes_from=tuple(
            container_name(task, v.source_container) + (":ro" if v.read_only else "")
            for v in definition.volumes_from
            if v.source_container
        ),
        pid_mode=_namespace(build.definition.pid_mode, task),
        ipc_mode=_namespace(build.definition.ipc_mode, task),
        sysctls=_sysctls(build.definition, definition, shared=False),
        cgroup_parent=build.group.cgroup_parent if build.group else "",
    )
    spec = _with_resources(build.task, definition, spec)
    return _with_linux_parameters(_with_network(build, definition, spec), definition)


def _secret_options(logs: LogConfiguration | None, fetched: Fetched) -> dict[str, str]:
    """The options of a log driver that are secrets."""
    given = logs.secret_options if logs else ()
    return {each.name: fetched.secrets[each.value_from] for each in given}


def _with_resources(
    task: Task, definition: ContainerDefinition, spec: ContainerSpec
) -> ContainerSpec:
    override = task.overrides.of(definition.name)
    cpu = definition.cpu if override.cpu is None else override.cpu
    memory = override.memory or definition.memory or 0
    reservation = override.memory_reservation or definition.memory_reservation or 0
    return replace(
        spec,
        cpu_shares=min(max(cpu, SHARES_MIN), SHARES_MAX),
        memory=max(memory * MIB, MEMORY_MIN) if memory else 0,
        memory_reservation=reservation * MIB,
    )


def _with_network(
    build: _Build, definition: ContainerDefinition, spec: ContainerSpec
) -> ContainerSpec:
    off = definition.disable_networking
    mode = NetworkMode.NONE if off else build.definition.effective_network_mode
    if mode is NetworkMode.AWSVPC:
        return replace(spec, network_mode=f"container:{pause_name(build.task)}")
    spec = replace(
        spec,
        network_mode=mode.value,
        hostname=definition.hostname or "",
        dns_servers=definition.dns_servers,
        dns_search_domains=definition.dns_search_domains,
        extra_hosts=tuple(f"{h.hostname}:{h.ip_address}" for h in definition.extra_hosts),
    )
    if mode is not NetworkMode.BRIDGE:
        return spec
    mappings = definition.port_mappings
    return replace(
        spec,
        ports=tuple(_port(m) for m in mappings if m.container_port or m.container_port_range),
        links=tuple(_link(build.task, link) for link in definition.links),
    )


def _port(mapping: PortMapping) -> PortBinding:
    first, last = (mapping.host_port, mapping.host_port) if mapping.host_port else DYNAMIC_PORTS
    low, _, high = (mapping.container_port_range or str(mapping.container_port)).partition("-")
    return PortBinding(
        container_port=int(low),
        protocol=mapping.protocol,
        host_port_first=first,
        host_port_last=last,
        count=int(high or low) - int(low) + 1,
    )


def _link(task: Task, link: str) -> str:
    name, _, alias = link.partition(":")
    return f"{container_name(task, name)}:{alias or name}"


def _namespace(mode: str | None, task: Task) -> str:
    return f"container:{pause_name(task)}" if mode == "task" else mode or ""


def _sysctls(
    task: TaskDefinition, *containers: ContainerDefinition, shared: bool
) -> dict[str, str]:
    """The sysctls of namespaces the task's containers share, or of those each has for itself."""
    return {
        control.namespace: control.value
        for container in containers
        for control in container.system_controls
        if control.namespace
        and control.value is not None
        and _is_shared(task, control.namespace) is shared
    }


def _is_shared(task: TaskDefinition, sysctl: str) -> bool:
    if sysctl.startswith("net."):
        return task.effective_network_mode is NetworkMode.AWSVPC
    return task.ipc_mode == "task"


def _with_linux_parameters(spec: ContainerSpec, definition: ContainerDefinition) -> ContainerSpec:
    linux = definition.linux_parameters
    if linux is None:
        return spec
    capabilities = linux.capabilities
    swap = None if linux.max_swap is None else spec.memory + linux.max_swap * MIB
    return replace(
        spec,
        capabilities_add=capabilities.add if capabilities else (),
        capabilities_drop=capabilities.drop if capabilities else (),
        devices=tuple(_device(d) for d in linux.devices),
        init=bool(linux.init_process_enabled),
        shm_size=(linux.shared_memory_size or 0) * MIB,
        tmpfs=linux.tmpfs,
        memory_swap=swap,
        swappiness=linux.swappiness if linux.max_swap is not None else None,
    )


def _device(device: Device) -> DeviceSpec:
    letters = {"read": "r", "write": "w", "mknod": "m"}
    return DeviceSpec(
        host_path=device.host_path,
        container_path=device.container_path or device.host_path,
        permissions="".join(letters[p] for p in device.permissions) or "rwm",
    )
