"""What the simulated engine does beyond the contract: what tests tell it to."""

from datetime import UTC, datetime, timedelta

import pytest

from openecs.model.containers import ContainerState, Health
from openecs.model.task_definitions import HealthCheck
from openecs.runtime.base import (
    CannotPullContainer,
    CannotStartContainer,
    ContainerSpec,
    PullBehavior,
    RegistryAuth,
)
from openecs.runtime.behavior import Behavior, RemoteImage
from openecs.runtime.simulated import SimulatedRuntime

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SPEC = ContainerSpec(name="a", image="busybox", labels={}, health_check=HealthCheck(command=("x",)))
AUTH = RegistryAuth(username="u", password="p")


async def started(behavior=None):
    runtime = SimulatedRuntime(lambda: NOW, behaves=lambda _: behavior or Behavior())
    await runtime.create(SPEC)
    await runtime.start("a")
    return runtime


async def test_effects_are_recorded_once():
    runtime = await started()
    await runtime.create(SPEC)
    await runtime.start("a")
    await runtime.stop("a", timedelta(0))
    await runtime.remove("a")
    assert runtime.effects == [("create", "a"), ("start", "a"), ("stop", "a"), ("remove", "a")]


async def test_a_process_ends_when_told():
    runtime = await started()
    runtime.end("a", 137, oom_killed=True)
    observed = await runtime.inspect("a")
    assert (observed.state, observed.exit_code) == (ContainerState.EXITED, 137)
    assert observed.oom_killed
    assert observed.finished_at == NOW


async def test_health_turns_when_told():
    runtime = await started(Behavior(health_after=timedelta(hours=1)))
    assert (await runtime.inspect("a")).health is Health.STARTING
    runtime.turn("a", Health.UNHEALTHY)
    assert (await runtime.inspect("a")).health is Health.UNHEALTHY
    await runtime.close()


async def test_it_fails_to_start_when_told():
    with pytest.raises(CannotStartContainer, match="no luck"):
        await started(Behavior(start_error="no luck"))


async def test_pulls():
    runtime = SimulatedRuntime(lambda: NOW, registry={"far": RemoteImage(auth=AUTH)})
    for auth in (None, RegistryAuth(username="u", password="wrong")):
        with pytest.raises(CannotPullContainer, match="denied"):
            await runtime.pull("far", PullBehavior.DEFAULT, auth)
    await runtime.pull("far", PullBehavior.PREFER_CACHED, AUTH)
    await runtime.pull("far:latest", PullBehavior.PREFER_CACHED, None)
    await runtime.pull("far", PullBehavior.ONCE, None)
    await runtime.pull("far", PullBehavior.DEFAULT, None)
    assert runtime.effects == [("pull", "far:latest")]
    await runtime.create(ContainerSpec(name="b", image="far", labels={}))
    assert (await runtime.inspect("b")).image_digest.startswith("sha256:")
