from dataclasses import replace

import pytest

from openecs.model.task_definitions import (
    Device,
    DockerVolume,
    EfsVolume,
    HealthCheck,
    HostEntry,
    HostVolume,
    KernelCapabilities,
    LinuxParameters,
    LogConfiguration,
    MountPoint,
    NetworkMode,
    PortMapping,
    SystemControl,
    Ulimit,
    Volume,
    VolumeFrom,
)
from openecs.model.tasks import ContainerOverride, LaunchType, TaskOverride
from openecs.runtime import spec
from openecs.runtime.base import (
    LABEL_CONTAINER_NAME,
    LABEL_INSTALLATION,
    LABEL_TASK_ARN,
    LABEL_VOLUMES,
    CannotCreateVolume,
    DeviceSpec,
    Mount,
    PortBinding,
)
from openecs.runtime.environment import Fetched
from openecs.testing.builders import a_container_definition, a_task, a_task_definition

MIB = 1024 * 1024
DYNAMIC = {"host_port_first": 49_153, "host_port_last": 65_535}


PLACE = spec.TaskPlace(network="vpc", address="10.0.0.5")


def prepared(*containers, task=None, file_systems=None, **members):
    return spec.containers_of(
        task or a_task(),
        a_task_definition("web", 1, *containers, **members),
        installation="here",
        fetched=Fetched(),
        file_systems=file_systems or {},
        place=PLACE if members.get("network_mode") is NetworkMode.AWSVPC else None,
    )


def container(task=None, **members):
    """The spec of a task's only container."""
    of_task = {
        name: members.pop(name)
        for name in ("network_mode", "pid_mode", "ipc_mode", "cpu", "volumes")
        if name in members
    }
    if "task_memory" in members:
        of_task["memory"] = members.pop("task_memory")
    file_systems = members.pop("file_systems", None)
    definition = a_container_definition(**members)
    made = prepared(definition, task=task, file_systems=file_systems, **of_task)
    return made.containers[definition.name]


def test_names_are_the_agents():
    name = container(name="my_app.1").name
    assert name.startswith("ecs-web-1-myapp1-")
    assert len(name.rpartition("-")[2]) == 20


def test_names_of_the_same_letters_differ():
    made = prepared(a_container_definition("a_b"), a_container_definition("ab"))
    assert made.containers["a_b"].name != made.containers["ab"].name


def test_labels_say_whose_it_is_whatever_the_user_says():
    given = {"team": "x", LABEL_TASK_ARN: "no", LABEL_INSTALLATION: "no"}
    labels = container(docker_labels=given).labels
    assert labels["team"] == "x"
    assert labels[LABEL_TASK_ARN] == a_task().arn
    assert labels[LABEL_INSTALLATION] == "here"
    assert labels[LABEL_CONTAINER_NAME] == "app"


@pytest.mark.parametrize(("cpu", "shares"), [(0, 2), (1, 2), (256, 256), (300_000, 262_144)])
def test_shares(cpu, shares):
    made = prepared(a_container_definition(cpu=cpu)).containers["app"]
    assert made.cpu_shares == shares


@pytest.mark.parametrize(("memory", "limit"), [(None, 0), (4, 6 * MIB), (64, 64 * MIB)])
def test_memory(memory, limit):
    assert container(memory=memory, memory_reservation=3).memory == limit


def test_overrides_win():
    override = ContainerOverride(
        name="app", command=("run",), cpu=0, memory=70, memory_reservation=60
    )
    task = a_task(overrides=TaskOverride(container_overrides=(override,)))
    made = container(task=task, command=("set",), memory=64, memory_reservation=32)
    assert made.command == ("run",)
    assert made.cpu_shares == 2
    assert (made.memory, made.memory_reservation) == (70 * MIB, 60 * MIB)


def test_task_limits_are_the_groups():
    made = prepared(cpu=512, memory=256)
    assert made.group.cpu_quota == 50_000
    assert made.group.memory == 256 * MIB
    assert made.group.cgroup_parent == f"/ecs/{a_task().id}"
    assert made.containers["app"].cgroup_parent == made.group.cgroup_parent
    assert made.containers["app"].cpu_quota == 0


def test_no_task_limits_no_group():
    assert prepared().group is None


def test_without_a_group_each_container_has_the_tasks_caps():
    big = a_container_definition("big", memory=None)
    made = spec.without_group(prepared(a_container_definition(), big, cpu=512, memory=256))
    assert made.group is None
    assert [c.cgroup_parent for c in made.containers.values()] == ["", ""]
    assert [c.cpu_quota for c in made.containers.values()] == [50_000, 50_000]
    assert [c.memory for c in made.containers.values()] == [64 * MIB, 256 * MIB]


@pytest.mark.parametrize(
    ("mapping", "binding"),
    [
        (
            PortMapping(container_port=80),
            PortBinding(container_port=80, protocol="tcp", **DYNAMIC),
        ),
        (
            PortMapping(container_port=80, host_port=8080, protocol="udp"),
            PortBinding(
                container_port=80, protocol="udp", host_port_first=8080, host_port_last=8080
            ),
        ),
        (
            PortMapping(container_port_range="80-84"),
            PortBinding(container_port=80, protocol="tcp", count=5, **DYNAMIC),
        ),
    ],
)
def test_ports(mapping, binding):
    assert container(port_mappings=(mapping,)).ports == (binding,)


@pytest.mark.parametrize("mode", [NetworkMode.HOST, NetworkMode.AWSVPC, NetworkMode.NONE])
def test_only_bridge_publishes(mode):
    assert container(network_mode=mode, port_mappings=(PortMapping(container_port=80),)).ports == ()


@pytest.mark.parametrize("mode", [NetworkMode.BRIDGE, NetworkMode.HOST, NetworkMode.NONE])
def test_what_a_container_says_of_its_network(mode):
    made = container(
        network_mode=mode,
        hostname="there",
        dns_servers=("10.0.0.1",),
        dns_search_domains=("example.test",),
        extra_hosts=(HostEntry(hostname="far", ip_address="10.9.8.7"),),
    )
    assert made.network_mode == mode
    assert made.hostname == "there"
    assert made.dns_servers == ("10.0.0.1",)
    assert made.dns_search_domains == ("example.test",)
    assert made.extra_hosts == ("far:10.9.8.7",)


def test_links_are_the_engines_names():
    linked = a_container_definition("app", links=("db:database", "db"))
    made = prepared(a_container_definition("db"), linked)
    db = made.containers["db"].name
    assert made.containers["app"].links == (f"{db}:database", f"{db}:db")


def test_disabled_networking():
    assert container(disable_networking=True).network_mode == "none"


NET = SystemControl(namespace="net.core.somaxconn", value="1")
KERNEL = SystemControl(namespace="kernel.msgmax", value="2")


@pytest.mark.parametrize(
    ("members", "own", "shared"),
    [
        ({}, {"net.core.somaxconn", "kernel.msgmax"}, None),
        ({"network_mode": NetworkMode.AWSVPC}, {"kernel.msgmax"}, {"net.core.somaxconn"}),
        ({"ipc_mode": "task"}, {"net.core.somaxconn"}, {"kernel.msgmax"}),
        ({"network_mode": NetworkMode.HOST}, {"net.core.somaxconn", "kernel.msgmax"}, None),
    ],
)
def test_sysctls_belong_to_whoever_owns_the_namespace(members, own, shared):
    made = prepared(a_container_definition(system_controls=(NET, KERNEL)), **members)
    assert set(made.containers["app"].sysctls) == own
    assert (set(made.pause.sysctls) if made.pause else None) == shared


@pytest.mark.parametrize(
    ("members", "network", "init", "ipc"),
    [
        ({"network_mode": NetworkMode.AWSVPC}, "vpc", False, ""),
        ({"pid_mode": "task"}, "none", True, ""),
        ({"ipc_mode": "task"}, "none", False, "shareable"),
    ],
)
def test_the_pause_container(members, network, init, ipc):
    pause = prepared(**members).pause
    assert (pause.network_mode, pause.init, pause.ipc_mode) == (network, init, ipc)


@pytest.mark.parametrize("mode", ["host", "task", "none", None])
def test_namespace_modes(mode):
    made = prepared(ipc_mode=mode)
    joined = f"container:{made.pause.name}" if made.pause else mode or ""
    assert made.containers["app"].ipc_mode == joined


@pytest.mark.parametrize(("launch_type", "files"), [("EC2", 0), ("FARGATE", 65_535)])
def test_open_files(launch_type, files):
    assert container(task=a_task(launch_type=LaunchType(launch_type))).open_files == files


def test_linux_parameters():
    made = container(
        memory=64,
        linux_parameters=LinuxParameters(
            capabilities=KernelCapabilities(add=("NET_ADMIN",), drop=("ALL",)),
            devices=(Device(host_path="/dev/null", permissions=("read", "mknod")),),
            init_process_enabled=True,
            shared_memory_size=32,
            max_swap=16,
            swappiness=10,
        ),
    )
    assert (made.capabilities_add, made.capabilities_drop) == (("NET_ADMIN",), ("ALL",))
    assert made.devices == (
        DeviceSpec(host_path="/dev/null", container_path="/dev/null", permissions="rm"),
    )
    assert made.init
    assert made.shm_size == 32 * MIB
    assert (made.memory_swap, made.swappiness) == (80 * MIB, 10)


def test_swappiness_without_swap_is_ignored():
    assert container(linux_parameters=LinuxParameters(swappiness=10)).swappiness is None


def test_the_rest_is_said_as_it_is():
    check = HealthCheck(command=("CMD", "true"))
    limit = Ulimit(name="core", soft_limit=0, hard_limit=0)
    made = container(
        entry_point=("/e",),
        command=("c",),
        user="u",
        working_directory="/w",
        privileged=True,
        readonly_root_filesystem=True,
        docker_security_options=("no-new-privileges",),
        interactive=True,
        pseudo_terminal=True,
        health_check=check,
        ulimits=(limit,),
        log_configuration=LogConfiguration(log_driver="local", options={"max-size": "1m"}),
    )
    assert made.entry_point == ("/e",)
    assert made.command == ("c",)
    assert (made.user, made.working_directory) == ("u", "/w")
    assert (made.privileged, made.readonly_root_filesystem) == (True, True)
    assert made.security_options == ("no-new-privileges",)
    assert (made.interactive, made.tty) == (True, True)
    assert made.health_check == check
    assert made.ulimits == (limit,)
    assert (made.log_driver, made.log_options) == ("local", {"max-size": "1m"})


def data_at(volume, *, read_only=False, file_systems=None):
    point = MountPoint(source_volume="data", container_path="/data", read_only=read_only)
    definition = a_container_definition(mount_points=(point,))
    made = prepared(definition, volumes=(volume,), file_systems=file_systems)
    return made, made.containers["app"].mounts[0]


def test_a_host_path_is_bound():
    volume = Volume(name="data", host=HostVolume(source_path="/srv"))
    made, mount = data_at(volume, read_only=True)
    assert mount == Mount(type="bind", source="/srv", target="/data", read_only=True)
    assert made.volumes == ()


@pytest.mark.parametrize("host", [None, HostVolume()])
def test_a_volume_without_a_path_lives_with_the_task(host):
    made, mount = data_at(Volume(name="data", host=host))
    [volume] = made.volumes
    assert volume.name == mount.source
    assert volume.name.startswith("ecs-web-1-data-")
    assert made.containers["app"].labels[LABEL_VOLUMES] == volume.name
    assert not volume.must_exist


@pytest.mark.parametrize("made_for_it", [True, False])
def test_a_shared_volume_keeps_its_name_and_outlives_the_task(made_for_it):
    docker = DockerVolume(scope="shared", autoprovision=made_for_it, driver="nfs")
    made, mount = data_at(Volume(name="data", docker_volume_configuration=docker))
    [volume] = made.volumes
    assert (volume.name, volume.driver, mount.source) == ("data", "nfs", "data")
    assert volume.must_exist is not made_for_it
    assert made.containers["app"].labels[LABEL_VOLUMES] == ""


def test_a_mapped_file_system():
    efs = Volume(name="data", efs_volume_configuration=EfsVolume(file_system_id="fs-1"))
    assert data_at(efs, file_systems={"fs-1": "/srv/"})[1].source == "/srv"
    inner = replace(
        efs, efs_volume_configuration=EfsVolume(file_system_id="fs-1", root_directory="/a/")
    )
    assert data_at(inner, file_systems={"fs-1": "/srv"})[1].source == "/srv/a"
    with pytest.raises(CannotCreateVolume, match="fs-1"):
        data_at(efs)


def test_volumes_from():
    other = a_container_definition(
        "b", volumes_from=(VolumeFrom(source_container="a", read_only=True),)
    )
    made = prepared(a_container_definition("a"), other)
    assert made.containers["b"].volumes_from == (f"{made.containers['a'].name}:ro",)
