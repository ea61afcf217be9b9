"""The engines the contract is tried on: the simulated one always, a real one where it answers."""

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from engine_access import Work, clean, docker_runtime
from openecs.model.containers import Health
from openecs.runtime.base import LABEL_INSTALLATION, ContainerSpec, Runtime
from openecs.runtime.behavior import Behavior, Executed
from openecs.runtime.simulated import SimulatedRuntime
from podman_engine import podman_host

__all__ = ["podman_host"]

#: What the simulated processes of ``Work`` do; the real ones do it by themselves.
BEHAVIORS = {
    Work.WAITS: Behavior(
        exit_code_on_stop=0,
        executes={("sh", "-c", "echo $GREETING; exit 3"): Executed(b"hello\r\n", 3)},
    ),
    Work.BURNS: Behavior(cores=1.0, memory=1024**2),
    Work.FAILS: Behavior(exits_after=timedelta(0), exit_code=3),
    Work.IGNORES_STOP: Behavior(exit_code_on_stop=None),
    Work.NO_PROGRAM: Behavior(start_error='exec: "/no/such/program": no such file or directory'),
    Work.IS_WELL: Behavior(health=Health.HEALTHY),
    Work.IS_ILL: Behavior(health=Health.UNHEALTHY),
}


@dataclass(frozen=True)
class World:
    """An engine, and an installation of its own on it."""

    runtime: Runtime
    installation: str

    def spec(self, name: str = "a", command: tuple[str, ...] = Work.WAITS, **members):
        labels = {LABEL_INSTALLATION: members.pop("installation", self.installation)}
        labels |= members.pop("labels", {})
        values = {"image": "busybox", "command": command, "labels": labels, **members}
        return ContainerSpec(name=self.name(name), **values)

    def name(self, name: str) -> str:
        return f"{self.installation}-{name}"

    async def started(self, name: str = "a", command: tuple[str, ...] = Work.WAITS, **members):
        """The engine's name of a container that was started."""
        spec = self.spec(name, command, **members)
        await self.runtime.create(spec)
        await self.runtime.start(spec.name)
        return spec.name


ENGINES = ["simulated", *(pytest.param(e, marks=pytest.mark.engine) for e in ("docker", "podman"))]


def engine_host(request) -> str:
    """The address of the engine a test is parametrized with."""
    if request.param == "podman":
        return request.getfixturevalue("podman_host")
    return os.environ.get("DOCKER_HOST", "")


@pytest.fixture(params=ENGINES)
async def world(request):
    installation = f"contract-{uuid.uuid4().hex[:10]}"
    if request.param == "simulated":
        runtime = SimulatedRuntime(
            lambda: datetime.now(UTC), behaves=lambda s: BEHAVIORS.get(s.command, Behavior())
        )
        await runtime.open()
    else:
        runtime = await docker_runtime(engine_host(request))
    yield World(runtime, installation)
    await clean(runtime, installation)
    await runtime.close()
