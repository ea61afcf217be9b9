"""Between our values and the engine's JSON. Pure. Docker Engine API 1.41."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from openecs.model.containers import ContainerObservation, ContainerState, Health, ObservedPort
from openecs.model.task_definitions import HealthCheck, Tmpfs, Ulimit
from openecs.runtime.base import ContainerSpec, PortBinding

SECOND = 1_000_000_000
MIB = 1024 * 1024
NEVER = "0001-01-01T00:00:00Z"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - only read
#: A container in these states has no process and no end yet.
NOT_STARTED = frozenset({"created", "configured", "initialized"})
RUNNING = frozenset({"running", "paused", "restarting", "stopping"})


def create_body(spec: ContainerSpec) -> dict[str, Any]:
    """The body of ``POST /containers/create``."""
    body: dict[str, Any] = {
        "Image": spec.image,
        "Labels": dict(spec.labels),
        "Env": [f"{name}={value}" for name, value in spec.environment.items()],
        "WorkingDir": spec.working_directory,
        "User": spec.user,
        "Hostname": spec.hostname,
        "OpenStdin": spec.interactive,
        "Tty": spec.tty,
        "ExposedPorts": {_port(p): {} for p in spec.ports},
        "HostConfig": _host_config(spec),
    }
    if spec.ip_address:
        there = {"IPAMConfig": {"IPv4Address": spec.ip_address}}
        body["NetworkingConfig"] = {"EndpointsConfig": {spec.network_mode: there}}
    if spec.entry_point:
        body["Entrypoint"] = list(spec.entry_point)
    if spec.command:
        body["Cmd"] = list(spec.command)
    if spec.health_check is not None:
        body["Healthcheck"] = _health_check(spec.health_check)
    return body


def observation(shown: Mapping[str, Any]) -> ContainerObservation:
    """What ``GET /containers/ID/json`` says."""
    state = shown["State"]
    status = _state(state["Status"])
    ended = status is ContainerState.EXITED
    networks = _own_networks(shown)
    network = _network(networks)
    return ContainerObservation(
        id=shown["Id"],
        name=shown["Name"].removeprefix("/"),
        labels=shown["Config"].get("Labels") or {},
        state=status,
        exit_code=state.get("ExitCode") if ended else None,
        oom_killed=bool(state.get("OOMKilled")) and ended,
        error=state.get("Error") or "",
        health=_health(state.get("Health") or {}),
        started_at=moment(state.get("StartedAt")),
        finished_at=moment(state.get("FinishedAt")) if ended else None,
        ports=tuple(_ports(networks.get("Ports") or {})),
        ip_address=network.get("IPAddress") or "",
        mac_address=network.get("MacAddress") or "",
        gateway=network.get("Gateway") or "",
        image_id=shown.get("Image") or "",
    )


def published(listed: Iterable[Mapping[str, Any]]) -> set[tuple[int, str]]:
    """The host ports in use by the containers ``GET /containers/json`` lists."""
    ports = (port for container in listed for port in container.get("Ports") or ())
    return {(p["PublicPort"], p["Type"]) for p in ports if p.get("PublicPort")}


def has_candidates(shown: Mapping[str, Any]) -> bool:
    """Whether the engine chooses a host port of the container among several."""
    bindings = shown["HostConfig"].get("PortBindings") or {}
    return any("-" in (b.get("HostPort") or "") for port in bindings.values() for b in port or ())


def encode(value: object) -> str:
    """JSON text, as query parameters and headers carry it."""
    return msgspec.json.encode(value).decode()


def moment(text: str | None) -> datetime | None:
    """An RFC 3339 time with nanoseconds, cut to microseconds; the zero time is no time."""
    if not text or text == NEVER:
        return None
    cut = re.sub(r"(\.\d{6})\d+", r"\1", text)
    return datetime.fromisoformat(cut).astimezone(UTC)


def _host_config(spec: ContainerSpec) -> dict[str, Any]:
    config: dict[str, Any] = {
        "NetworkMode": spec.network_mode,
        "CpuShares": spec.cpu_shares,
        "Memory": spec.memory,
        "MemoryReservation": spec.memory_reservation,
        "Privileged": spec.privileged,
        "ReadonlyRootfs": spec.readonly_root_filesystem,
        "Init": spec.init,
        "PidMode": spec.pid_mode,
        "IpcMode": spec.ipc_mode,
        "CgroupParent": spec.cgroup_parent,
        "PortBindings": _port_bindings(spec.ports),
        "Links": list(spec.links),
        "Dns": list(spec.dns_servers),
        "DnsSearch": list(spec.dns_search_domains),
        "ExtraHosts": list(spec.extra_hosts),
        "Binds": [_bind(m.source, m.target, m.read_only) for m in spec.mounts],
        "VolumesFrom": list(spec.volumes_from),
        "Tmpfs": {t.container_path: _tmpfs(t) for t in spec.tmpfs},
        "CapAdd": list(spec.capabilities_add),
        "CapDrop": list(spec.capabilities_drop),
        "SecurityOpt": list(spec.security_options),
        "Sysctls": dict(spec.sysctls),
        "Devices": [
            {
                "PathOnHost": d.host_path,
                "PathInContainer": d.container_path,
                "CgroupPermissions": d.permissions,
            }
            for d in spec.devices
        ],
        "Ulimits": [
            {"Name": u.name, "Soft": u.soft_limit, "Hard": u.hard_limit} for u in _ulimits(spec)
        ],
    }
    return config | _optional(spec)


def _optional(spec: ContainerSpec) -> dict[str, Any]:
    """What is left to the engine's defaults unless it is given."""
    optional: dict[str, Any] = {}
    if spec.cpu_quota:
        optional |= {"CpuPeriod": 100_000, "CpuQuota": spec.cpu_quota}
    if spec.memory_swap is not None:
        optional["MemorySwap"] = spec.memory_swap
    if spec.swappiness is not None:
        optional["MemorySwappiness"] = spec.swappiness
    if spec.shm_size:
        optional["ShmSize"] = spec.shm_size
    if spec.log_driver:
        optional["LogConfig"] = {"Type": spec.log_driver, "Config": dict(spec.log_options)}
    return optional


def _ulimits(spec: ContainerSpec) -> tuple[Ulimit, ...]:
    files = spec.open_files
    if not files or any(u.name == "nofile" for u in spec.ulimits):
        return spec.ulimits
    return (*spec.ulimits, Ulimit(name="nofile", soft_limit=files, hard_limit=files))


def _port(binding: PortBinding) -> str:
    return f"{binding.container_port}/{binding.protocol}"


def _port_bindings(ports: tuple[PortBinding, ...]) -> dict[str, list[dict[str, str]]]:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in ports:
        if not port.host_port_first:
            continue
        first, last = port.host_port_first, port.host_port_last
        host = str(first) if first == last else f"{first}-{last}"
        entry = {"HostIp": port.host_ip, "HostPort": host}
        bindings.setdefault(_port(port), []).append(entry)
    return bindings


def _bind(source: str, target: str, read_only: bool) -> str:  # noqa: FBT001 - a mount's third part
    return f"{source}:{target}:ro" if read_only else f"{source}:{target}"


def _tmpfs(tmpfs: Tmpfs) -> str:
    return ",".join([f"size={tmpfs.size * MIB}", *tmpfs.mount_options])


def _health_check(check: HealthCheck) -> dict[str, Any]:
    return {
        "Test": list(check.command),
        "Interval": check.interval * SECOND,
        "Timeout": check.timeout * SECOND,
        "Retries": check.retries,
        "StartPeriod": (check.start_period or 0) * SECOND,
    }


def _state(status: str) -> ContainerState:
    if status in NOT_STARTED:
        return ContainerState.CREATED
    return ContainerState.RUNNING if status in RUNNING else ContainerState.EXITED


def _health(health: Mapping[str, Any]) -> Health:
    try:
        return Health(health.get("Status") or "none")
    except ValueError:
        return Health.NONE


def _own_networks(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """What joins another container's network has none; Podman shows the other's."""
    mode = (shown.get("HostConfig") or {}).get("NetworkMode") or ""
    return {} if mode.startswith("container:") else shown.get("NetworkSettings") or {}


def _network(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    if settings.get("IPAddress"):
        return settings
    networks = settings.get("Networks") or {}
    return next((n for n in networks.values() if n.get("IPAddress")), {})


def _ports(published: Mapping[str, Any]) -> list[ObservedPort]:
    return [
        ObservedPort(
            container_port=int(port.partition("/")[0]),
            protocol=port.partition("/")[2],
            host_port=int(binding["HostPort"]),
            # Podman's word for all addresses is none.
            host_ip=binding.get("HostIp") or ANY_ADDRESS,
        )
        for port, bindings in published.items()
        for binding in bindings or []
        if binding.get("HostPort")
    ]
