"""Whatever a definition says, its containers can be named and made, and the same every time."""

from hypothesis import given
from hypothesis import strategies as st

from openecs.model.task_definitions import (
    Device,
    DockerVolume,
    HostVolume,
    KernelCapabilities,
    LinuxParameters,
    LogConfiguration,
    MountPoint,
    NamedValue,
    NetworkMode,
    PortMapping,
    SystemControl,
    Tmpfs,
    Ulimit,
    Volume,
    VolumeFrom,
)
from openecs.model.tasks import ContainerOverride, LaunchType, TaskOverride
from openecs.runtime import spec
from openecs.runtime.docker.bodies import create_body, encode
from openecs.runtime.environment import Fetched
from openecs.testing.builders import a_container_definition, a_task, a_task_definition

names = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
paths = st.from_regex(r"/[a-z]{1,10}", fullmatch=True)
texts = st.text(max_size=10)
ports = st.integers(1, 65_000)


def some(strategy, size=2):
    return st.lists(strategy, max_size=size).map(tuple)


mappings = st.one_of(
    st.builds(
        PortMapping,
        container_port=ports,
        host_port=st.none() | st.integers(0, 65_535),
        protocol=st.sampled_from(["tcp", "udp"]),
    ),
    st.tuples(ports, st.integers(0, 100)).map(
        lambda p: PortMapping(container_port_range=f"{p[0]}-{p[0] + p[1]}")
    ),
)
parameters = st.builds(
    LinuxParameters,
    capabilities=st.none() | st.builds(KernelCapabilities, add=some(st.just("NET_ADMIN"))),
    devices=some(
        st.builds(
            Device,
            host_path=paths,
            container_path=st.none() | paths,
            permissions=some(st.sampled_from(["read", "write", "mknod"]), 3),
        )
    ),
    init_process_enabled=st.none() | st.booleans(),
    shared_memory_size=st.none() | st.integers(0, 1024),
    tmpfs=some(st.builds(Tmpfs, container_path=paths, size=st.integers(1, 100))),
    max_swap=st.none() | st.integers(0, 1024),
    swappiness=st.none() | st.integers(0, 100),
)
sysctls = st.sampled_from(["net.core.somaxconn", "kernel.msgmax", "fs.mqueue.msg_max"])


def containers(known: list[str], volumes: list[str]):
    """Definitions of containers of these names that may mention each other and the volumes."""
    others = st.sampled_from(known)
    return st.tuples(
        *(
            st.builds(
                a_container_definition,
                name=st.just(name),
                cpu=st.integers(0, 4096),
                memory=st.none() | st.integers(4, 4096),
                port_mappings=some(mappings),
                links=some(others | others.map(lambda n: f"{n}:alias")),
                environment=some(st.builds(NamedValue, name=names, value=texts)),
                mount_points=some(
                    st.builds(
                        MountPoint,
                        source_volume=st.sampled_from(volumes) if volumes else st.none(),
                        container_path=paths,
                        read_only=st.none() | st.booleans(),
                    )
                ),
                volumes_from=some(st.builds(VolumeFrom, source_container=others)),
                linux_parameters=st.none() | parameters,
                ulimits=some(
                    st.builds(
                        Ulimit,
                        name=st.sampled_from(["nofile", "core"]),
                        soft_limit=st.integers(0, 9),
                        hard_limit=st.integers(9, 99),
                    )
                ),
                system_controls=some(
                    st.builds(SystemControl, namespace=sysctls, value=st.just("1"))
                ),
                log_configuration=st.none()
                | st.builds(LogConfiguration, log_driver=st.just("local")),
                docker_labels=st.none() | st.dictionaries(names, texts, max_size=2),
                disable_networking=st.none() | st.booleans(),
            )
            for name in known
        )
    )


@st.composite
def definitions(draw):
    known = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    volumes = draw(st.lists(names, max_size=2, unique=True))
    kinds = st.sampled_from(
        [
            {},
            {"host": HostVolume()},
            {"host": HostVolume(source_path="/srv")},
            {"docker_volume_configuration": DockerVolume()},
            {"docker_volume_configuration": DockerVolume(scope="shared")},
        ]
    )
    return a_task_definition(
        draw(names),
        draw(st.integers(1, 99)),
        *draw(containers(known, volumes)),
        network_mode=draw(st.none() | st.sampled_from(NetworkMode)),
        pid_mode=draw(st.sampled_from([None, "host", "task"])),
        ipc_mode=draw(st.sampled_from([None, "host", "task", "none"])),
        cpu=draw(st.none() | st.integers(128, 4096)),
        memory=draw(st.none() | st.integers(128, 4096)),
        volumes=tuple(Volume(name=v, **draw(kinds)) for v in volumes),
    )


@st.composite
def tasks(draw, definition):
    override = st.builds(
        ContainerOverride,
        name=st.sampled_from([c.name for c in definition.container_definitions]),
        memory=st.none() | st.integers(4, 4096),
        environment=some(st.builds(NamedValue, name=names, value=texts)),
    )
    return a_task(
        draw(st.integers(1, 2**64)),
        family=definition.family,
        revision=definition.revision,
        launch_type=draw(st.sampled_from(LaunchType)),
        overrides=TaskOverride(container_overrides=draw(some(override))),
    )


def prepared(task, definition):
    return spec.containers_of(
        task, definition, installation="here", fetched=Fetched(), file_systems={}
    )


def every(made):
    return [*made.containers.values(), *([made.pause] if made.pause else [])]


@given(st.data())
def test_every_definition_becomes_containers(data):
    definition = data.draw(definitions())
    task = data.draw(tasks(definition))
    made = prepared(task, definition)
    assert made == prepared(task, definition)
    assert list(made.containers) == [c.name for c in definition.container_definitions]
    engine_names = [container.name for container in every(made)]
    assert len(set(engine_names)) == len(engine_names)
    for variant in (made, spec.without_group(made)):
        for container in every(variant):
            assert encode(create_body(container))


@given(st.data())
def test_tasks_of_one_definition_share_no_name(data):
    definition = data.draw(definitions())
    first, second = a_task(1), a_task(2)
    mine, theirs = prepared(first, definition), prepared(second, definition)
    assert not {c.name for c in every(mine)} & {c.name for c in every(theirs)}
    own = {v.name for v in mine.volumes if not v.must_exist}
    assert not own & {v.name for v in theirs.volumes if not v.must_exist}


@given(st.data())
def test_no_container_has_more_than_its_task(data):
    definition = data.draw(definitions())
    made = spec.without_group(prepared(a_task(), definition))
    for container in made.containers.values():
        if definition.memory:
            assert 0 < container.memory <= definition.memory * 1024 * 1024
        if definition.cpu:
            assert container.cpu_quota == definition.cpu * 100_000 // 1024
