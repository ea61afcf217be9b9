"""Volumes, environment and logs of a task on a real engine."""

import asyncio
import json

import pytest

from engine.runtime.conftest import docker, says, waits
from openecs.model.task_definitions import (
    DockerVolume,
    EfsVolume,
    EnvironmentFile,
    HostVolume,
    LogConfiguration,
    MountPoint,
    NamedValue,
    Volume,
    VolumeFrom,
)
from openecs.model.tasks import ContainerOverride, TaskOverride
from openecs.runtime.base import CannotCreateVolume, CannotStartContainer
from openecs.testing.builders import a_task


def at(path: str, *, volume: str = "data", read_only: bool = False) -> MountPoint:
    return MountPoint(source_volume=volume, container_path=path, read_only=read_only)


async def test_containers_of_a_task_share_its_volume(engine):
    task = await engine.run(
        waits("a", mount_points=(at("/one"),)),
        waits("b", mount_points=(at("/two", read_only=True),)),
        volumes=(Volume(name="data", host=HostVolume()),),
    )
    task.run("sh", "-c", "echo shared > /one/file", container="a")
    assert task.run("cat", "/two/file", container="b") == "shared"
    with pytest.raises(AssertionError, match="Read-only"):
        task.run("touch", "/two/file", container="b")


async def test_a_host_path(engine, tmp_path):
    (tmp_path / "file").write_text("from the host")
    task = await engine.run(
        waits(mount_points=(at("/host"),)),
        volumes=(Volume(name="data", host=HostVolume(source_path=str(tmp_path))),),
    )
    assert task.run("cat", "/host/file") == "from the host"


async def test_a_file_system_mapped_to_a_path(engine, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_text("stands in")
    efs = EfsVolume(file_system_id="fs-1", root_directory="/inner")
    task = await engine.run(
        waits(mount_points=(at("/efs"),)),
        volumes=(Volume(name="data", efs_volume_configuration=efs),),
        file_systems={"fs-1": str(tmp_path)},
    )
    assert task.run("cat", "/efs/file") == "stands in"


async def test_volumes_from_another_container(engine):
    task = await engine.run(
        waits("a", mount_points=(at("/data"),)),
        waits("b", volumes_from=(VolumeFrom(source_container="a", read_only=True),)),
        volumes=(Volume(name="data", host=HostVolume()),),
    )
    task.run("sh", "-c", "echo seen > /data/file", container="a")
    assert task.run("cat", "/data/file", container="b") == "seen"


async def test_a_shared_volume_is_found_not_made(engine):
    name = f"{engine.installation}-shared"
    shared = Volume(name=name, docker_volume_configuration=DockerVolume(scope="shared"))
    with pytest.raises(CannotCreateVolume, match=name):
        await engine.run(waits(), volumes=(shared,))
    docker("volume", "create", name)
    engine.volumes.append(name)
    await engine.run(waits(mount_points=(at("/data", volume=name),)), volumes=(shared,))


async def test_the_environment_in_its_order(engine):
    file = "arn:aws:s3:::bucket/a.env"
    override = ContainerOverride(name="app", environment=(NamedValue(name="C", value="run"),))
    task = await engine.run(
        says(
            'echo "$PATH|$A|$B|$C|$AWS_EXECUTION_ENV"',
            environment=(NamedValue(name="B", value="set"), NamedValue(name="C", value="set")),
            environment_files=(EnvironmentFile(value=file),),
        ),
        task=a_task(overrides=TaskOverride(container_overrides=(override,))),
        files={file: "A=file\nB=file\n# C=comment\nC=file\n"},
    )
    await task.exited()
    path, *others = docker("logs", task.name()).split("|")
    assert "/bin" in path
    assert others == ["file", "set", "run", "AWS_ECS_EC2"]


@pytest.mark.parametrize("driver", ["json-file", "local"])
async def test_logs_the_engine_keeps(engine, driver):
    engine.unless_podman("other log drivers")
    logs = LogConfiguration(log_driver=driver, options={"max-size": "1m"})
    task = await engine.run(says("echo said", log_configuration=logs))
    await task.exited()
    assert docker("logs", task.name()) == "said"
    assert task.shown()["HostConfig"]["LogConfig"] == {
        "Type": driver,
        "Config": {"max-size": "1m"},
    }


async def test_no_logs(engine):
    task = await engine.run(
        says("echo said", log_configuration=LogConfiguration(log_driver="none"))
    )
    await task.exited()
    assert task.shown()["HostConfig"]["LogConfig"]["Type"] == "none"


class Collector(asyncio.DatagramProtocol):
    """Takes one datagram."""

    def __init__(self) -> None:
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        if not self.first.done():
            self.first.set_result(data)


@pytest.mark.parametrize(
    ("driver", "scheme", "options"),
    [
        ("syslog", "syslog-address", {"tag": "{{.Name}}"}),
        ("gelf", "gelf-address", {"gelf-compression-type": "none"}),
    ],
)
async def test_logs_sent_away(engine, driver, scheme, options):
    engine.unless_podman("other log drivers")
    loop = asyncio.get_running_loop()
    transport, collector = await loop.create_datagram_endpoint(
        Collector, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]
    logs = LogConfiguration(
        log_driver=driver, options={scheme: f"udp://127.0.0.1:{port}", **options}
    )
    task = await engine.run(says("echo said", log_configuration=logs))
    async with asyncio.timeout(10):
        received = await collector.first
    assert b"said" in received
    if driver == "gelf":
        assert json.loads(received)["_container_name"] == task.name()
    transport.close()


async def test_a_log_collector_that_is_not_there(engine):
    engine.unless_podman("other log drivers")
    logs = LogConfiguration(log_driver="fluentd", options={"fluentd-address": "127.0.0.1:1"})
    with pytest.raises(CannotStartContainer, match="failed to initialize logging driver"):
        await engine.run(waits(log_configuration=logs))


async def test_a_log_option_that_is_wrong(engine):
    engine.unless_podman("refused earlier")
    logs = LogConfiguration(log_driver="json-file", options={"max-size": "much"})
    with pytest.raises(CannotStartContainer, match=r"max-size|invalid size"):
        await engine.run(waits(log_configuration=logs))
