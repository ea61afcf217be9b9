from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide.services.circuit_breaker import roll_back, threshold
from openecs.decide.services.start_backoff import backoff
from openecs.decide.services.state import SchedulerSettings
from openecs.model.deployment_failures import CircuitBreaker, DeploymentAlarms
from openecs.model.services import (
    DeploymentConfiguration,
    DeploymentStatus,
    RolloutState,
)
from openecs.model.tasks import HealthStatus
from openecs.testing.service_world import ServiceWorld, a_service

NAME = "(service web) "
SETTINGS = SchedulerSettings()


def a_world(desired=1, *, enable=True, rollback=True, **changes) -> ServiceWorld:
    configuration = DeploymentConfiguration(
        deployment_circuit_breaker=CircuitBreaker(enable=enable, rollback=rollback), **changes
    )
    service = a_service(desired_count=desired, deployment_configuration=configuration)
    return ServiceWorld(service=service)


def a_steady_world(desired=1, **changes) -> ServiceWorld:
    world = a_world(desired, **changes)
    world.converge()
    assert world.service.steady_at
    world.events.clear()
    return world


def fail_starts(world: ServiceWorld, deployment: str, times: int) -> None:
    for _ in range(times):
        world.step()
        for task in world.live(deployment):
            if task.started_at is None:
                world.crash(task)
        world.step()
        world.later(60)
    world.step()


@pytest.mark.parametrize(
    ("desired", "expected"),
    [(0, 3), (1, 3), (6, 3), (7, 4), (25, 13), (400, 200), (800, 200)],
)
def test_the_threshold_is_half_of_what_is_wanted_within_3_and_200(desired, expected):
    assert threshold(desired) == expected


def test_a_deployment_whose_tasks_do_not_start_is_rolled_back():
    world = a_steady_world()
    failing = world.deploy()
    fail_starts(world, failing.id, 2)
    assert world.service.primary.rollout_state is RolloutState.IN_PROGRESS
    assert world.service.primary.failed_tasks == 2
    world.events.clear()
    old = world.service.deployments[1]
    kept = {task.id for task in world.live(old.id)}
    world.crash(next(t for t in world.live(failing.id) if t.started_at is None))
    world.step()
    back, failed = world.service.deployments
    assert (back.id, back.created_at) == (old.id, old.created_at)
    assert failed.id == failing.id
    assert failed.rollout_state is RolloutState.FAILED
    assert failed.status is DeploymentStatus.ACTIVE
    assert failed.rollout_state_reason == "ECS deployment circuit breaker: tasks failed to start."
    assert back.rollout_state_reason == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {back.id}."
    )
    assert back.revision == old.revision == world.service.revision
    assert back.service_deployment == failing.service_deployment
    assert world.service.completed_revision is None
    told = [
        f"{NAME}(deployment {failing.id}) deployment failed: tasks failed to start.",
        f"{NAME}rolling back to deployment {back.id}.",
    ]
    assert [e for e in world.events if e in told] == told
    world.converge()
    assert [d.id for d in world.service.deployments] == [back.id]
    assert world.service.completed_revision == back.revision
    assert {task.id for task in world.live(back.id)} == kept


def test_without_rollback_the_deployment_stays_failed_and_starts_nothing():
    world = a_steady_world(desired=2, rollback=False)
    failing = world.deploy()
    fail_starts(world, failing.id, 2)
    assert [d.rollout_state for d in world.service.deployments] == [
        RolloutState.FAILED,
        RolloutState.COMPLETED,
    ]
    assert len(world.live("ecs-svc/1")) == 2
    world.crash(world.live("ecs-svc/1")[0])
    world.later(3600)
    assert not world.step().starts
    assert len(world.live()) == 1


def test_a_first_deployment_has_nothing_to_go_back_to():
    world = a_world()
    fail_starts(world, "ecs-svc/1", 3)
    (failed,) = world.service.deployments
    assert failed.rollout_state is RolloutState.FAILED
    assert failed.status is DeploymentStatus.PRIMARY


def test_pending_tasks_of_a_failed_deployment_are_stopped_before_its_failure_is_told():
    world = a_steady_world(desired=4, rollback=False)
    failing = world.deploy()
    world.step()
    for task in world.live(failing.id)[:3]:
        world.crash(task)
    plan = world.step()
    assert plan.events == (
        f"{NAME}stopped 1 pending tasks.",
        f"{NAME}(deployment {failing.id}) deployment failed: tasks failed to start.",
    )


def test_a_task_that_runs_starts_the_count_anew():
    world = a_world(desired=1)
    fail_starts(world, "ecs-svc/1", 2)
    assert world.service.primary.failed_tasks == 2
    world.run_pending()
    world.step()
    assert world.service.primary.failed_tasks == 0
    assert world.service.primary.has_run


def test_ill_health_of_what_ran_counts_and_crashes_do_not():
    world = a_world(desired=1)
    world.checked = frozenset({"web:1"})
    world.step()
    world.run_pending()
    world.later(60)
    world.crash(world.live()[0])
    world.step()
    assert world.service.primary.failed_tasks == 0
    for failures in (1, 2):
        world.run_pending(HealthStatus.UNHEALTHY)
        world.step()
        assert world.service.primary.failed_tasks == failures
    world.run_pending(HealthStatus.UNHEALTHY)
    world.step()
    assert world.service.primary.rollout_state is RolloutState.FAILED


def test_an_alarm_fails_the_deployment_and_not_its_rollback():
    alarms = DeploymentAlarms(alarm_names=("errors",), enable=True, rollback=True)
    world = a_steady_world(enable=False, alarms=alarms)
    failing = world.deploy()
    world.step()
    world.alarms = frozenset({"errors"})
    world.step()
    assert f"{NAME}(deployment {failing.id}) deployment failed: alarm detected." in world.events
    failed = next(d for d in world.service.deployments if d.id == failing.id)
    assert failed.alarm_watch.triggered == ("errors",)
    back = world.service.primary
    assert back.id != failing.id
    world.step()
    assert (world.service.primary.id, world.service.primary.rollout_state) == (
        back.id,
        RolloutState.COMPLETED,
    )


def test_an_alarm_that_rings_when_a_deployment_begins_is_no_matter_to_it():
    alarms = DeploymentAlarms(alarm_names=("errors",), enable=True, rollback=True)
    world = a_steady_world(enable=False, alarms=alarms)
    world.alarms = frozenset({"errors"})
    mending = world.deploy()
    world.converge()
    assert world.service.primary.id == mending.id
    assert world.service.primary.rollout_state is RolloutState.COMPLETED


def test_alarms_are_watched_for_as_long_as_they_look_back():
    alarms = DeploymentAlarms(alarm_names=("errors",), enable=True, rollback=True)
    world = a_steady_world(enable=False, alarms=alarms)
    world.alarm_bake = timedelta(minutes=5)
    baking = world.deploy()
    for _ in range(5):
        world.step()
        world.finish_stops()
        world.run_pending()
        world.later(60)
    primary = world.service.primary
    assert (primary.id, primary.rollout_state) == (baking.id, RolloutState.IN_PROGRESS)
    assert primary.alarm_watch.baked_at - world.now < timedelta(minutes=5)
    assert world.step().wake <= primary.alarm_watch.baked_at
    late = replace(world, now=primary.alarm_watch.baked_at)
    late.step()
    assert late.service.primary.rollout_state is RolloutState.COMPLETED
    world.alarms = frozenset({"errors"})
    world.step()
    assert world.service.primary.id != baking.id


def test_a_rollback_needs_a_deployment_that_completed():
    assert roll_back(a_service(), "ecs-svc/2", "why", ServiceWorld(service=a_service()).now) is None


def test_the_wait_doubles_up_to_fifteen_minutes():
    waits = [backoff(rounds, SETTINGS).total_seconds() for rounds in (0, 1, 2, 3, 10, 11, 5000)]
    assert waits == [0, 1, 2, 4, 512, 900, 900]


def test_failed_starts_wait_and_say_so_once_they_repeat():
    world = a_world(enable=False)
    waits = []
    for _ in range(12):
        world.step()
        world.crash(world.live()[0])
        plan = world.step()
        assert not plan.starts
        waits.append((plan.wake - world.now).total_seconds())
        assert not world.step().starts
        world.now = plan.wake
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    unable = [e for e in world.events if "unable to consistently start tasks" in e]
    assert len(unable) == 10
    assert unable[0] == (
        f"{NAME}is unable to consistently start tasks successfully. For more information, see the "
        "Troubleshooting section of the Amazon ECS Developer Guide."
    )


def test_tasks_that_fail_together_are_one_round():
    world = a_world(desired=200, enable=False)
    world.step()
    for task in world.live():
        world.crash(task)
    world.step()
    assert world.service.primary.start_failures == 1
    assert world.service.primary.failed_tasks == 200


def test_after_repeated_failures_only_a_few_are_tried_at_a_time():
    world = a_world(desired=200, enable=False)
    for _ in range(3):
        world.step()
        for task in world.live():
            world.crash(task)
        world.now = world.step().wake
    assert world.step().starts[0].count == 3


def test_a_good_start_ends_the_wait_and_a_new_deployment_has_none():
    world = a_world(enable=False)
    for _ in range(3):
        world.step()
        world.crash(world.live()[0])
        world.now = world.step().wake
    world.step()
    world.run_pending()
    world.later(SETTINGS.brief_run.total_seconds())
    world.step()
    assert world.service.primary.start_failures == 0
    assert world.service.primary.start_after is None
    assert world.deploy().start_after is None


def test_what_ran_is_replaced_at_once_until_it_keeps_ending_at_once():
    world = a_world(enable=False)
    world.step()
    waits = []
    for _ in range(8):
        world.run_pending()
        world.later(0.1)
        world.crash(world.live()[0])
        plan = world.step()
        waits.append(0 if plan.starts else (plan.wake - world.now).total_seconds())
        world.now = world.now if plan.starts else plan.wake
        if not plan.starts:
            world.step()
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4]
    assert world.service.primary.failed_tasks == 0


def test_the_breaker_is_not_kept_waiting():
    world = a_world(desired=20)
    elapsed = timedelta()
    while world.service.primary.rollout_state is RolloutState.IN_PROGRESS:
        world.step()
        for task in world.live()[:1]:
            world.crash(task)
        before = world.now
        world.now = world.step().wake or world.now
        elapsed += world.now - before
    assert elapsed < timedelta(minutes=2)


def test_a_placement_that_finds_no_room_is_told_and_counts_nothing():
    from openecs.decide.services.plan import after_starts
    from openecs.decide.services.state import Start, StartOutcome

    service = a_service(desired_count=2)
    outcome = StartOutcome(
        start=Start(deployment="ecs-svc/1", count=2), tasks=("a",), obstacle="was unable."
    )
    after, told = after_starts(service, [outcome], service.created_at)
    assert after == service
    assert told == (f"{NAME}has started 1 tasks: (task a).", f"{NAME}was unable.")


def test_every_end_is_accounted_for_once():
    world = a_steady_world(desired=2)
    world.crash(world.live()[0])
    world.step()
    world.scale(1)
    world.step()
    world.step()
    world.finish_stops()
    world.step()
    assert len(world.accounted) == len(set(world.accounted)) == 2


def test_a_failed_deployment_gives_way_to_a_new_one():
    world = a_steady_world(desired=2, rollback=False)
    failing = world.deploy()
    fail_starts(world, failing.id, 2)
    world.deploy()
    world.converge()
    assert len(world.service.deployments) == 1
    assert world.service.primary.rollout_state is RolloutState.COMPLETED


def test_scaling_a_failed_deployment_down_stops_what_is_beyond_the_ceiling():
    world = a_steady_world(desired=4, rollback=False)
    fail_starts(world, world.deploy().id, 2)
    assert world.service.primary.rollout_state is RolloutState.FAILED
    world.service = replace(world.service, desired_count=0)
    assert len(world.step().stops) == 4
