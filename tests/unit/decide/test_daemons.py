from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide.daemons import ALARM_DETECTED, NO_WAY_BACK
from openecs.model.daemons import (
    DaemonAlarms,
    DaemonDeploymentConfiguration,
    DaemonDeploymentStatus,
    DaemonStatus,
    MonitorStatus,
)
from openecs.model.tasks import HealthStatus, StopCode, TaskStatus
from openecs.testing.builders import NOW
from openecs.testing.daemon_world import SETTINGS, DaemonWorld

FOUR = ("a", "b", "c", "d")
Status = DaemonDeploymentStatus


@pytest.fixture
def settled() -> DaemonWorld:
    world = DaemonWorld(FOUR)
    world.work()
    assert world.status is Status.SUCCESSFUL
    return world


def test_every_instance_gets_one_task_at_once() -> None:
    world = DaemonWorld(FOUR)
    planned = world.step()
    assert planned.starts == FOUR
    assert planned.deployment.status is Status.IN_PROGRESS
    assert planned.deployment.started_at == NOW
    assert world.step().starts == ()


def test_a_deployment_ends_when_every_task_has_run_for_long_enough(settled) -> None:
    assert len(settled.live()) == 4
    assert settled.deployment.finished_at is not None
    assert settled.deployment.breaker_status is MonitorStatus.MONITORING_COMPLETE
    assert settled.daemon.completed_revision == "1"


def test_it_wakes_when_a_task_will_have_run_for_long_enough() -> None:
    world = DaemonWorld(("a",))
    world.step()
    world.run(*world.live())
    assert world.step().wake == NOW + SETTINGS.healthy_after
    assert world.status is Status.IN_PROGRESS


def test_health_checks_are_waited_for() -> None:
    world = DaemonWorld(("a",), is_checked=True)
    world.work(3)
    assert world.status is Status.IN_PROGRESS
    (task,) = world.live()
    world.tasks[task.id] = replace(task, health_status=HealthStatus.HEALTHY)
    world.step()
    assert world.status is Status.SUCCESSFUL


def test_baking() -> None:
    world = DaemonWorld(("a",))
    world.deploy("1", configuration=DaemonDeploymentConfiguration(bake_time_in_minutes=5))
    world.work(2)
    planned = world.step()
    settled_at = world.deployment.settled_at
    assert (world.status, planned.wake) == (
        Status.IN_PROGRESS,
        settled_at + timedelta(minutes=5),
    )
    world.now = planned.wake
    world.step()
    assert world.status is Status.SUCCESSFUL


def test_no_instances_are_served_at_once() -> None:
    world = DaemonWorld(())
    world.step()
    assert world.status is Status.SUCCESSFUL


def test_a_dead_task_is_replaced_where_it_was(settled) -> None:
    task = settled.live()[0]
    settled.end(task)
    assert settled.step().starts == (task.container_instance,)


def test_a_task_that_is_stopped_by_hand_is_replaced_and_counts_for_nothing() -> None:
    world = DaemonWorld(("a",))
    world.step()
    world.end(world.live()[0], StopCode.USER_INITIATED)
    assert world.step().starts == ("a",)
    assert world.deployment.failure_count == 0


def test_a_quarter_is_drained_at_a_time(settled) -> None:
    settled.deploy("2")
    planned = settled.step()
    assert len(planned.stops) == 1
    assert planned.starts == ()
    stopping = next(t for t in settled.tasks.values() if t.desired_status is TaskStatus.STOPPED)
    assert settled.step().stops == ()
    settled.end(stopping)
    assert settled.step().starts == (stopping.container_instance,)
    assert settled.step().stops == ()
    settled.work()
    assert len(settled.live("2")) == 4
    assert settled.daemon.completed_revision == "2"


@pytest.mark.parametrize(("percent", "at_once"), [(0, 1), (50, 2), (100, 4)])
def test_drain_percent(settled, percent: float, at_once: int) -> None:
    configuration = DaemonDeploymentConfiguration(drain_percent=percent)
    settled.deploy("2", configuration=configuration)
    assert len(settled.step().stops) == at_once


def test_an_instance_that_joins_gets_its_task(settled) -> None:
    settled.places = (*FOUR, "e")
    assert settled.step().starts == ("e",)
    assert settled.status is Status.SUCCESSFUL


def test_an_instance_that_left_loses_it_after_all_others(settled) -> None:
    settled.places, settled.busy = FOUR[:3], frozenset("d")
    assert settled.step().stops == ()
    settled.busy = frozenset()
    (stop,) = settled.step().stops
    assert settled.tasks[stop.task].container_instance == "d"


def test_an_unhealthy_task_is_stopped_and_counted() -> None:
    world = DaemonWorld(("a",))
    world.step()
    (task,) = world.live()
    world.tasks[task.id] = replace(task, health_status=HealthStatus.UNHEALTHY)
    assert [stop.task for stop in world.step().stops] == [task.id]
    world.end(world.tasks[task.id])
    assert world.step().starts == ("a",)
    assert world.deployment.failure_count == 1


def fail(world: DaemonWorld, times: int) -> None:
    """What is started fails, so many times, each time after its wait."""
    for _ in range(times):
        world.step()
        world.now += timedelta(seconds=30)
        world.step()
        for task in world.live(world.deployment.wanted):
            world.end(task, StopCode.TASK_FAILED_TO_START)
    world.step()


def test_without_a_way_back_a_failing_deployment_stops() -> None:
    world = DaemonWorld(("a",))
    fail(world, 3)
    assert world.status is Status.STOPPED
    assert world.deployment.stopped_at is not None
    assert world.deployment.status_reason.endswith(NO_WAY_BACK)
    assert world.deployment.breaker_status is MonitorStatus.TRIGGERED
    world.now += timedelta(hours=1)
    assert world.step().starts == ()


def test_a_failing_deployment_goes_back(settled) -> None:
    configuration = DaemonDeploymentConfiguration(drain_percent=100)
    settled.deploy("2", configuration=configuration)
    settled.step()
    for task in tuple(settled.tasks.values()):
        settled.end(task)
    fail(settled, 1)
    assert settled.status is Status.ROLLBACK_IN_PROGRESS
    assert settled.deployment.rollback.target == "1"
    settled.work()
    assert settled.status is Status.ROLLBACK_SUCCESSFUL
    assert len(settled.live("1")) == 4
    assert settled.deployment.breaker_status is MonitorStatus.TRIGGERED
    assert settled.deployment.failure_count == 4


def test_a_rollback_that_fails_too_is_tried_on(settled) -> None:
    configuration = DaemonDeploymentConfiguration(drain_percent=100)
    settled.deploy("2", configuration=configuration)
    settled.step()
    for task in tuple(settled.tasks.values()):
        settled.end(task)
    fail(settled, 2)
    assert settled.status is Status.ROLLBACK_FAILED
    settled.now += timedelta(hours=1)
    assert settled.step().starts == FOUR


def test_an_alarm_goes_back(settled) -> None:
    alarms = DaemonAlarms(alarm_names=("cpu",), enable=True)
    settled.deploy("2", configuration=DaemonDeploymentConfiguration(alarms=alarms))
    settled.alarms = frozenset({"cpu"})
    settled.step()
    assert settled.deployment.rollback.reason == ALARM_DETECTED
    assert settled.deployment.triggered_alarms == ("cpu",)


def test_a_crash_loop_does_not_spin(settled) -> None:
    settled.places = ("a",)
    starts = 0
    for _ in range(1000):
        starts += len(settled.step().starts)
        for task in settled.live("1"):
            settled.run(task)
            settled.end(settled.tasks[task.id])
        settled.now += timedelta(milliseconds=100)
    assert starts < 15


def test_deleting_stops_everything_then_the_daemon_is_gone(settled) -> None:
    settled.deploy(None)
    settled.daemon = replace(settled.daemon, status=DaemonStatus.DELETE_IN_PROGRESS)
    assert len(settled.step().stops) == 4
    assert not settled.step().is_removed
    for task in tuple(settled.tasks.values()):
        settled.end(task)
    assert settled.step().is_removed
    assert settled.status is Status.SUCCESSFUL
