import struct
from datetime import UTC, datetime

import pytest

from openecs.model.containers import ContainerState, Health, ObservedPort
from openecs.model.task_definitions import HealthCheck, Tmpfs, Ulimit
from openecs.runtime.base import ContainerSpec, DeviceSpec, Mount, PortBinding
from openecs.runtime.docker import bodies, pause

SECOND = 1_000_000_000


def body(**members):
    return bodies.create_body(ContainerSpec(name="a", image="busybox", labels={}, **members))


def host(**members):
    return body(**members)["HostConfig"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("2026-01-02T04:04:05.5+01:00", datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(text, moment):
    assert bodies.moment(text) == moment


def test_what_is_not_given_is_left_to_image_and_engine():
    plain = body()
    assert not {"Entrypoint", "Cmd", "Healthcheck"} & plain.keys()
    absent = {"CpuQuota", "MemorySwap", "MemorySwappiness", "ShmSize", "LogConfig"}
    assert not absent & plain["HostConfig"].keys()


def test_ports():
    static = PortBinding(
        container_port=80, protocol="tcp", host_port_first=8080, host_port_last=8080
    )
    dynamic = PortBinding(container_port=53, protocol="udp", host_port_first=1, host_port_last=9)
    exposed = PortBinding(container_port=90, protocol="tcp", host_port_first=0, host_port_last=0)
    made = body(ports=(static, dynamic, exposed))
    assert made["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}, "90/tcp": {}}
    assert made["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
        "53/udp": [{"HostIp": "", "HostPort": "1-9"}],
    }


def test_mounts_and_memory_file_systems():
    made = host(
        mounts=(Mount(type="bind", source="/a", target="/b", read_only=True),),
        tmpfs=(Tmpfs(container_path="/t", size=8, mount_options=("noexec",)),),
        devices=(DeviceSpec(host_path="/dev/x", container_path="/dev/y", permissions="r"),),
    )
    assert made["Binds"] == ["/a:/b:ro"]
    assert made["Tmpfs"] == {"/t": f"size={8 * 1024 * 1024},noexec"}
    assert made["Devices"] == [
        {"PathOnHost": "/dev/x", "PathInContainer": "/dev/y", "CgroupPermissions": "r"}
    ]


def test_health_check_times_are_nanoseconds():
    check = HealthCheck(command=("CMD", "x"), interval=5, timeout=2, retries=4, start_period=7)
    assert body(health_check=check)["Healthcheck"] == {
        "Test": ["CMD", "x"],
        "Interval": 5 * SECOND,
        "Timeout": 2 * SECOND,
        "Retries": 4,
        "StartPeriod": 7 * SECOND,
    }


def test_the_definitions_own_file_limit_wins():
    own = Ulimit(name="nofile", soft_limit=1, hard_limit=2)
    assert host(open_files=9, ulimits=(own,))["Ulimits"] == [
        {"Name": "nofile", "Soft": 1, "Hard": 2}
    ]
    assert host(open_files=9)["Ulimits"] == [{"Name": "nofile", "Soft": 9, "Hard": 9}]


def shown(**state):
    return {
        "Id": "1" * 64,
        "Name": "/a",
        "Image": "sha256:2",
        "Config": {"Labels": None},
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "Error": "",
            "OOMKilled": False,
            "StartedAt": "2026-01-02T03:04:05Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            **state,
        },
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("created", ContainerState.CREATED),
        ("running", ContainerState.RUNNING),
        ("paused", ContainerState.RUNNING),
        ("restarting", ContainerState.RUNNING),
        ("exited", ContainerState.EXITED),
        ("dead", ContainerState.EXITED),
        ("removing", ContainerState.EXITED),
    ],
)
def test_states(status, state):
    assert bodies.observation(shown(Status=status)).state is state


def test_an_end_belongs_to_what_has_ended():
    again = shown(ExitCode=3, FinishedAt="2026-01-01T00:00:00Z", OOMKilled=True)
    observed = bodies.observation(again)
    assert observed.exit_code is None
    assert observed.finished_at is None
    assert not observed.oom_killed
    ended = bodies.observation(again | {"State": again["State"] | {"Status": "exited"}})
    assert (ended.exit_code, ended.oom_killed) == (3, True)


@pytest.mark.parametrize(
    ("health", "found"),
    [
        (None, Health.NONE),
        ({"Status": "starting"}, Health.STARTING),
        ({"Status": "unhealthy"}, Health.UNHEALTHY),
        ({"Status": "of a later engine"}, Health.NONE),
    ],
)
def test_health(health, found):
    assert bodies.observation(shown(Health=health)).health is found


def test_network():
    network = {
        "IPAddress": "",
        "Networks": {"none": {"IPAddress": ""}, "b": {"IPAddress": "10.0.0.2", "Gateway": "g"}},
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "90/tcp": None},
    }
    observed = bodies.observation(shown() | {"NetworkSettings": network})
    assert (observed.ip_address, observed.gateway) == ("10.0.0.2", "g")
    assert observed.ports == (
        ObservedPort(container_port=80, host_port=8080, protocol="tcp", host_ip="0.0.0.0"),
    )


def test_published():
    listed = [
        {"Ports": [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}]},
        {"Ports": [{"PrivatePort": 80, "Type": "tcp"}]},
        {"Ports": None},
    ]
    assert bodies.published(listed) == {(8080, "tcp")}


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("aarch64", 183)])
def test_the_pause_program_is_a_static_program_of_its_machine(architecture, machine):
    program = pause.program(architecture)
    assert program[:6] == b"\x7fELF\x02\x01"
    kind, found, _, entry = struct.unpack_from("<HHIQ", program, 16)
    assert (kind, found) == (2, machine)
    _, flags, _, address, _, size, *_ = struct.unpack_from("<IIQQQQQQ", program, 64)
    assert flags & 1
    assert size == len(program)
    assert address <= entry < address + size
