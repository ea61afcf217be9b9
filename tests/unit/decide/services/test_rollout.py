from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide.services.bounds import Bounds, bounds
from openecs.model.services import DeploymentConfiguration, RolloutState
from openecs.model.tasks import HealthStatus, StopCode, TaskProtection, TaskStatus
from openecs.testing.service_world import ServiceWorld, a_revision, a_service

NAME = "(service web) "


def a_world(desired=4, minimum=100, maximum=200, **changes) -> ServiceWorld:
    configuration = DeploymentConfiguration(
        minimum_healthy_percent=minimum, maximum_percent=maximum
    )
    service = a_service(desired_count=desired, deployment_configuration=configuration)
    return ServiceWorld(service=service, **changes)


def a_steady_world(**changes) -> ServiceWorld:
    world = a_world(**changes)
    world.converge()
    assert world.service.steady_at
    world.events.clear()
    return world


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "expected"),
    [
        (4, 100, 200, Bounds(ceiling=8, floor=4)),
        (4, 50, 100, Bounds(ceiling=4, floor=2)),
        (2, 75, 150, Bounds(ceiling=3, floor=2)),
        (3, 0, 125, Bounds(ceiling=3, floor=0)),
    ],
)
def test_the_most_is_rounded_down_and_the_least_up(desired, minimum, maximum, expected):
    configuration = DeploymentConfiguration(
        minimum_healthy_percent=minimum, maximum_percent=maximum
    )
    assert bounds(desired, configuration) == expected


def test_a_first_deployment_starts_all_and_completes_when_all_are_healthy():
    world = a_world(desired=3)
    plan = world.step()
    assert [(s.deployment, s.count) for s in plan.starts] == [("ecs-svc/1", 3)]
    world.run_pending()
    world.later(39)
    plan = world.step()
    assert plan.wake == world.now + timedelta(seconds=1)
    assert world.service.primary.rollout_state is RolloutState.IN_PROGRESS
    world.later(1)
    plan = world.step()
    assert plan.events == (
        f"{NAME}(deployment ecs-svc/1) deployment completed.",
        f"{NAME}has reached a steady state.",
    )
    primary = world.service.primary
    assert primary.rollout_state is RolloutState.COMPLETED
    assert primary.rollout_state_reason == "ECS deployment ecs-svc/1 completed."
    assert world.service.completed_revision == a_revision()


def test_the_events_of_starts_name_the_tasks():
    world = a_world(desired=2)
    world.step()
    assert world.events == [f"{NAME}has started 2 tasks: (task {1:032x}) (task {2:032x})."]


def test_no_tasks_wanted_is_complete_at_once():
    world = a_world(desired=0)
    world.step()
    assert world.service.primary.rollout_state is RolloutState.COMPLETED


def test_a_checked_task_is_healthy_when_its_check_says_so():
    world = a_world(desired=1, checked=frozenset({"web:1"}))
    world.step()
    world.run_pending()
    world.later(1000)
    world.step()
    assert world.service.primary.rollout_state is RolloutState.IN_PROGRESS
    world.change(world.live()[0], health_status=HealthStatus.HEALTHY)
    world.step()
    assert world.service.primary.rollout_state is RolloutState.COMPLETED


def test_steady_is_said_again_after_six_hours():
    world = a_steady_world()
    plan = world.step()
    assert plan.events == ()
    assert plan.wake == world.now + timedelta(hours=6)
    world.later(6 * 3600)
    assert world.step().events == (f"{NAME}has reached a steady state.",)


def test_scaling_without_a_rollout_knows_no_bounds():
    world = a_steady_world(desired=2, minimum=100, maximum=100)
    world.scale(6)
    assert world.step().starts[0].count == 4
    world.run_pending()
    world.scale(1)
    plan = world.step()
    assert len(plan.stops) == 5
    assert plan.stops[0].reason == "Scaling activity initiated by (deployment ecs-svc/1)"


def test_a_crashed_task_is_replaced_at_once_and_is_no_failure_of_its_deployment():
    world = a_steady_world(desired=2)
    world.crash(world.live()[0])
    plan = world.step()
    assert plan.starts[0].count == 1
    assert plan.starts[0].replaces_unhealthy == 0
    assert len(plan.accounted) == 1
    assert world.service.primary.failed_tasks == 0
    assert world.service.steady_at is None


def test_a_rollout_starts_first_and_then_stops():
    world = a_steady_world(desired=4)
    world.deploy()
    plan = world.step()
    assert plan.starts[0].count == 4
    assert not plan.stops
    world.run_pending()
    assert not world.step().stops
    world.later(40)
    plan = world.step()
    assert len(plan.stops) == 4
    assert [d.desired_count for d in world.service.deployments] == [4, 0]
    for task in world.stopping():
        world.change(task, last_status=TaskStatus.STOPPING)
    world.step()
    assert len(world.service.deployments) == 1
    assert world.service.steady_at


def test_young_tasks_that_serve_are_not_taken_from_an_older_deployment():
    world = a_world(desired=4)
    world.step()
    world.run_pending()
    world.deploy()
    assert not world.step().stops


def test_a_rollout_stops_first_where_the_floor_permits():
    world = a_steady_world(desired=4, minimum=50, maximum=100)
    world.deploy()
    plan = world.step()
    assert not plan.starts
    assert len(plan.stops) == 2
    assert not world.step().starts, "what is being stopped still counts against the ceiling"
    world.finish_stops()
    assert world.step().starts[0].count == 2


def test_without_any_room_it_is_said_that_the_bounds_are_in_the_way():
    world = a_steady_world(desired=1, minimum=100, maximum=100)
    world.deploy()
    plan = world.step()
    (event,) = plan.events
    assert event == (
        f"{NAME}was unable to stop or start tasks during a deployment because of the service "
        "deployment configuration. Update the minimumHealthyPercent or maximumPercent value and "
        "try again."
    )


def test_waiting_for_health_is_not_being_stuck():
    world = a_steady_world(desired=2, minimum=50, maximum=100)
    world.deploy()
    world.step()
    world.finish_stops()
    world.step()
    world.run_pending()
    plan = world.step()
    assert plan.events == ()
    assert plan.wake == world.now + timedelta(seconds=40)


def test_superseded_deployments_are_drained_together_and_never_complete():
    world = a_steady_world(desired=2)
    second = world.deploy()
    world.step()
    third = world.deploy()
    plan = world.step()
    assert f"{NAME}stopped 2 pending tasks." in plan.events
    assert second.id not in {d.id for d in world.service.deployments}
    assert f"{NAME}(deployment {second.id}) deployment completed." not in world.events
    world.finish_stops()
    world.converge()
    assert [d.id for d in world.service.deployments] == [third.id]
    assert {t.started_by for t in world.live()} == {third.id}


def test_the_desired_count_changes_in_the_middle_of_a_rollout():
    world = a_steady_world(desired=4)
    world.deploy()
    world.step()
    world.scale(2)
    world.converge()
    assert len(world.live()) == 2
    world.deploy()
    world.step()
    world.scale(5)
    world.converge()
    assert len(world.live(world.service.primary.id)) == 5


def test_an_older_deployment_stays_until_its_tasks_have_left_running():
    world = a_steady_world(desired=1)
    world.deploy()
    world.step()
    world.run_pending()
    world.later(40)
    world.step()
    assert len(world.service.deployments) == 2
    world.finish_stops()
    world.step()
    assert len(world.service.deployments) == 1


def test_a_protected_task_outlives_the_deployment_until_its_protection_ends():
    world = a_steady_world(desired=1)
    (old,) = world.live()
    world.change(old, protection=TaskProtection(expires_at=world.now + timedelta(hours=1)))
    world.deploy()
    world.step()
    world.run_pending()
    world.later(40)
    plan = world.step()
    assert not plan.stops
    assert plan.wake == world.tasks[old.id].protection.expires_at
    world.later(3600)
    assert [s.task for s in world.step().stops] == [old.id]


def test_more_protected_tasks_than_wanted_are_told():
    world = a_steady_world(desired=2)
    for task in world.live():
        world.change(task, protection=TaskProtection(expires_at=world.now + timedelta(hours=1)))
    world.scale(1)
    plan = world.step()
    assert not plan.stops
    assert "protected tasks are more than the desired count" in plan.events[0]


def test_an_unhealthy_task_is_replaced_before_it_is_stopped():
    world = a_steady_world(desired=2)
    sick = world.change(world.live()[0], health_status=HealthStatus.UNHEALTHY)
    plan = world.step()
    assert not plan.stops
    assert (plan.starts[0].count, plan.starts[0].replaces_unhealthy) == (1, 1)
    assert world.events[0] == f"{NAME}(task {sick.id}) failed container health checks."
    assert world.events[1].endswith(" Amazon ECS replaced 1 tasks due to an unhealthy status.")
    assert not world.step().starts
    world.run_pending()
    world.later(40)
    plan = world.step()
    assert [(s.task, s.reason) for s in plan.stops] == [
        (sick.id, "Task failed container health checks")
    ]


def test_without_room_unhealthy_tasks_are_replaced_one_by_one():
    world = a_steady_world(desired=3, maximum=100)
    for task in world.live()[:2]:
        world.change(task, health_status=HealthStatus.UNHEALTHY)
    plan = world.step()
    assert (len(plan.stops), plan.starts[0].count) == (1, 1)
    plan = world.step()
    assert (len(plan.stops), len(plan.starts)) == (0, 0)
    world.run_pending()
    world.later(40)
    plan = world.step()
    assert (len(plan.stops), plan.starts[0].count) == (1, 1)


def test_the_grace_period_passes_over_ill_health():
    world = a_steady_world(desired=1)
    world.service = replace(world.service, health_check_grace_period_seconds=300)
    task = world.change(world.live()[0], health_status=HealthStatus.UNHEALTHY)
    plan = world.step()
    assert not plan.starts
    assert plan.wake == task.started_at + timedelta(seconds=300)
    world.later(300)
    assert world.step().starts


def test_tasks_move_off_draining_instances_within_the_bounds():
    world = a_steady_world(desired=2)
    world.draining = frozenset({"i1"})
    plan = world.step()
    assert plan.starts[0].count == 1
    assert not plan.stops
    (new,) = [t for t in world.live() if t.last_status is TaskStatus.PENDING]
    world.change(new, container_instance="i2")
    world.run_pending()
    world.later(40)
    assert len(world.step().stops) == 1
    world.step()
    assert {t.container_instance for t in world.live()} == {"i2"}


def test_pending_tasks_on_draining_instances_are_stopped_at_once():
    world = a_world(desired=1)
    world.step()
    world.draining = frozenset({"i1"})
    plan = world.step()
    assert len(plan.stops) == 1
    assert plan.events == (f"{NAME}stopped 1 pending tasks.",)


def test_a_task_the_user_stopped_is_replaced_and_is_no_failure():
    world = a_world(desired=1)
    world.step()
    (task,) = world.live()
    world.change(task, desired_status=TaskStatus.STOPPED, stop_code=StopCode.USER_INITIATED)
    plan = world.step()
    assert plan.starts[0].count == 1
    assert world.service.primary.failed_tasks == 0
    assert world.service.primary.start_failures == 0
