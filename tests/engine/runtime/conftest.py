"""Tasks on a real engine: spec and runtime together, and what the containers really got."""

import json
import os
import subprocess
import uuid
from dataclasses import dataclass, replace

import pytest

from engine_access import Work, clean, docker_runtime, when
from openecs.model.containers import ContainerState
from openecs.model.task_definitions import NetworkMode
from openecs.runtime import spec
from openecs.runtime.base import LABEL_INSTALLATION, ContainerSpec, EngineInfo
from openecs.runtime.docker import DockerRuntime
from openecs.runtime.environment import Fetched
from openecs.testing.builders import a_container_definition, a_task, a_task_definition

#: Where awsvpc tasks stand whose VPC is not what a test is about.
BRIDGE = spec.TaskPlace(network="bridge", address="")


def pytest_collection_modifyitems(items):
    for item in items:
        if "engine/runtime" in str(item.path):
            item.add_marker(pytest.mark.engine)


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class RunningTask:
    """A task all of whose containers were started."""

    runtime: DockerRuntime
    spec: spec.TaskSpec

    def name(self, container: str = "app") -> str:
        return self.spec.containers[container].name

    def run(self, *command: str, container: str = "app") -> str:
        """What a command says inside a container."""
        return docker("exec", self.name(container), *command)

    def shown(self, container: str = "app") -> dict:
        return json.loads(docker("inspect", self.name(container)))[0]

    async def observed(self, container: str = "app"):
        return await self.runtime.inspect(self.name(container))

    async def exited(self, container: str = "app"):
        return await when(
            self.runtime, self.name(container), lambda o: o.state is ContainerState.EXITED
        )


class Engine:
    """An installation of its own on a real engine."""

    def __init__(self, runtime: DockerRuntime, info: EngineInfo) -> None:
        self.runtime = runtime
        self.info = info
        self.installation = f"engine-{uuid.uuid4().hex[:10]}"
        self.groups: list[str] = []
        self.volumes: list[str] = []

    def unless_podman(self, reason: str) -> None:
        """Skip on Podman, where this is a limitation that docs/howto/podman.md names."""
        if "Podman" in docker("version", "--format", "{{json .Server.Components}}"):
            pytest.skip(f"Podman: {reason}")

    async def run(self, *containers, task=None, files=None, file_systems=None, **members):
        """Start a task of these containers, in their order."""
        definition = a_task_definition("web", 1, *containers, **members)
        task = replace(task or a_task(), id=uuid.uuid4().hex)
        prepared = spec.containers_of(
            task,
            definition,
            installation=self.installation,
            fetched=Fetched(files or {}),
            file_systems=file_systems or {},
            place=BRIDGE if members.get("network_mode") is NetworkMode.AWSVPC else None,
        )
        if prepared.group is not None:
            assert await self.runtime.ensure_group(prepared.group)
            self.groups.append(prepared.group.cgroup_parent)
        for volume in prepared.volumes:
            await self.runtime.ensure_volume(volume)
            self.volumes.append(volume.name)
        if prepared.pause is not None:
            await self.runtime.prepare_pause()
            await self._start(prepared.pause)
        for container in prepared.containers.values():
            await self._start(container)
        return RunningTask(self.runtime, prepared)

    async def start_with(self, *ports, name: str = "ports", **members) -> str:
        """Start a container with these ports; its engine name."""
        made = ContainerSpec(
            name=f"{self.installation}-{name}",
            image="busybox",
            command=Work.WAITS,
            labels={LABEL_INSTALLATION: self.installation},
            ports=ports,
            **members,
        )
        await self._start(made)
        return made.name

    async def _start(self, container):
        await self.runtime.create(container)
        await self.runtime.start(container.name)

    async def clean(self):
        await clean(self.runtime, self.installation)
        for volume in self.volumes:
            await self.runtime.remove_volume(volume)
        for group in self.groups:
            await self.runtime.remove_group(group)
        await self.runtime.close()


@pytest.fixture
async def engine():
    runtime = await docker_runtime(os.environ.get("DOCKER_HOST", ""))
    made = Engine(runtime, await runtime.info())
    yield made
    await made.clean()


def waits(name: str = "app", **members):
    """The definition of a container that runs until it is stopped."""
    return a_container_definition(name, **{"command": Work.WAITS, **members})


def says(*command: str, name: str = "app", **members):
    """The definition of a container that runs a shell command and ends."""
    return a_container_definition(name, command=("sh", "-c", *command), **members)
