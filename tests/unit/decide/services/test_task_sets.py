from dataclasses import replace

import pytest

from openecs.decide.services.task_sets import computed_desired_count
from openecs.model.services import DeploymentControllerType, ServiceStatus, TaskSet
from openecs.model.tasks import HealthStatus, TaskStatus
from openecs.testing.builders import NOW, SCOPE
from openecs.testing.service_world import ServiceWorld, a_revision, a_service


def a_task_set(number=1, **changes) -> TaskSet:
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "service": "web",
        "id": f"ecs-svc/{number}",
        "revision": a_revision(number),
        "scale": 100.0,
        "stability_status_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return TaskSet(**(values | changes))


def a_world(*task_sets, desired=4) -> ServiceWorld:
    service = a_service(
        desired_count=desired,
        deployments=(),
        revision=None,
        deployment_controller=DeploymentControllerType.EXTERNAL,
    )
    return ServiceWorld(service=service, task_sets=task_sets)


@pytest.mark.parametrize(
    ("desired", "scale", "expected"),
    [(4, 50.0, 2), (3, 50.0, 2), (10, 33.3, 4), (100, 7.0, 7), (1000, 0.7, 7), (4, 0.0, 0)],
)
def test_the_share_of_a_set_is_rounded_up(desired, scale, expected):
    service = a_service(desired_count=desired)
    assert computed_desired_count(service, a_task_set(scale=scale)) == expected


def test_each_set_gets_its_share_and_the_service_is_steady_with_all():
    world = a_world(a_task_set(1), a_task_set(2, scale=50.0))
    plan = world.step()
    assert [(s.deployment, s.count) for s in plan.starts] == [("ecs-svc/1", 4), ("ecs-svc/2", 2)]
    assert all(s.stability_status == "STABILIZING" for s in world.task_sets)
    world.run_pending()
    world.later(1)
    plan = world.step()
    assert [s.stability_status for s in plan.task_sets] == ["STEADY_STATE"] * 2
    assert plan.task_sets[0].stability_status_at == world.now
    assert plan.events == ("(service web) has reached a steady state.",)
    assert world.step().events == ()


def test_a_smaller_scale_stops_the_surplus():
    world = a_world(a_task_set(1))
    world.converge()
    world.task_sets = (replace(world.task_sets[0], scale=25.0),)
    assert len(world.step().stops) == 3


def test_a_draining_set_goes_once_its_tasks_are_no_longer_live():
    world = a_world(a_task_set(1), a_task_set(2))
    world.converge()
    first, second = world.task_sets
    world.task_sets = (first, replace(second, status="DRAINING"))
    plan = world.step()
    assert len(plan.stops) == 4
    assert len(plan.task_sets) == 2
    assert [s.id for s in world.step().task_sets] == [first.id]


def test_an_unhealthy_task_is_replaced_first():
    world = a_world(a_task_set(1), desired=1)
    world.converge()
    world.change(world.live()[0], health_status=HealthStatus.UNHEALTHY)
    plan = world.step()
    assert plan.starts[0].replaces_unhealthy == 1
    assert not plan.stops
    assert world.task_sets[0].stability_status == "STABILIZING"


def test_each_set_backs_off_by_itself():
    world = a_world(a_task_set(1), a_task_set(2), desired=1)
    world.step()
    world.crash(world.live("ecs-svc/1")[0])
    plan = world.step()
    assert plan.starts == ()
    assert (plan.wake - world.now).total_seconds() == 1
    assert [s.start_failures for s in plan.task_sets] == [1, 0]


def test_a_deleted_service_stops_everything_and_is_then_inactive():
    world = a_world(a_task_set(1))
    world.converge()
    world.service = replace(world.service, status=ServiceStatus.DRAINING, desired_count=0)
    plan = world.step()
    assert len(plan.stops) == 4
    assert plan.service.status is ServiceStatus.DRAINING
    for task in world.stopping():
        world.change(task, last_status=TaskStatus.STOPPING)
    plan = world.step()
    assert plan.service.status is ServiceStatus.INACTIVE
    assert plan.service.deleted_at == world.now
    assert plan.task_sets == ()
    assert plan.service.deployments == ()
    assert world.step().service == plan.service
