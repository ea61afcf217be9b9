from dataclasses import replace

from openecs.model.deployment_failures import CircuitBreaker
from openecs.model.services import (
    DeploymentConfiguration,
    RolloutState,
    SchedulingStrategy,
)
from openecs.model.tasks import HealthStatus, TaskStatus
from openecs.testing.service_world import ServiceWorld, a_service

PLACES = ("i1", "i2", "i3")


def a_world(minimum=0, maximum=100, **changes) -> ServiceWorld:
    configuration = DeploymentConfiguration(
        minimum_healthy_percent=minimum,
        maximum_percent=maximum,
        deployment_circuit_breaker=CircuitBreaker(enable=True, rollback=False),
    )
    service = a_service(
        desired_count=0,
        scheduling_strategy=SchedulingStrategy.DAEMON,
        deployment_configuration=configuration,
    )
    return ServiceWorld(service=service, eligible=PLACES, **changes)


def a_steady_world(**changes) -> ServiceWorld:
    world = a_world(**changes)
    world.converge()
    assert world.service.steady_at
    return world


def places(world: ServiceWorld) -> list[str]:
    return sorted(t.container_instance for t in world.live())


def test_each_eligible_instance_gets_one():
    world = a_steady_world()
    assert places(world) == list(PLACES)
    assert world.service.desired_count == 3
    assert world.service.primary.rollout_state is RolloutState.COMPLETED


def test_instances_come_and_go():
    world = a_steady_world()
    world.eligible = ("i2", "i3", "i4")
    plan = world.step()
    assert [world.tasks[s.task].container_instance for s in plan.stops] == ["i1"]
    assert plan.starts[0].instances == ("i4",)


def test_what_crashes_is_replaced_where_it_was():
    world = a_steady_world()
    world.crash(next(t for t in world.live() if t.container_instance == "i2"))
    assert world.step().starts[0].instances == ("i2",)


def test_what_is_unhealthy_is_replaced_where_it_was():
    world = a_steady_world()
    sick = next(t for t in world.live() if t.container_instance == "i2")
    world.change(sick, health_status=HealthStatus.UNHEALTHY)
    plan = world.step()
    assert [s.task for s in plan.stops] == [sick.id]
    assert plan.starts[0].instances == ("i2",)
    assert plan.starts[0].replaces_unhealthy == 1


def test_a_rollout_stops_first_as_far_as_the_floor_permits():
    world = a_steady_world(minimum=50)
    world.deploy()
    plan = world.step()
    assert len(plan.stops) == 1
    assert not plan.starts
    stopped = world.tasks[plan.stops[0].task]
    assert not world.step().starts
    world.finish_stops()
    assert world.step().starts[0].instances == (stopped.container_instance,)
    world.converge()
    assert {t.started_by for t in world.live()} == {world.service.primary.id}
    assert places(world) == list(PLACES)


def test_a_rollout_may_start_beside_the_old_one():
    world = a_steady_world(minimum=100, maximum=150)
    world.deploy()
    plan = world.step()
    assert not plan.stops
    assert plan.starts[0].count == 1
    world.run_pending()
    world.later(40)
    plan = world.step()
    assert [world.tasks[s.task].container_instance for s in plan.stops] == ["i1"]
    world.converge()
    assert places(world) == list(PLACES)


def test_without_room_it_is_said():
    world = a_steady_world(minimum=100)
    world.deploy()
    assert "was unable to stop or start tasks" in world.step().events[0]


def test_two_on_one_instance_become_one():
    world = a_steady_world()
    extra = replace(world.live()[0], id="f" * 32, last_status=TaskStatus.PENDING)
    world.tasks[extra.id] = extra
    assert [s.task for s in world.step().stops] == [extra.id]


def test_the_breaker_counts_here_too():
    world = a_world()
    world.step()
    for task in world.live():
        world.crash(task)
    world.step()
    assert world.service.primary.rollout_state is RolloutState.FAILED
    world.later(3600)
    assert not world.step().starts


def test_what_goes_with_its_instance_is_not_counted_for_those_that_stay():
    world = a_steady_world(minimum=50)
    world.deploy()
    world.eligible = ("i2", "i3")
    stopped = [world.tasks[s.task].container_instance for s in world.step().stops]
    # Of the two that stay, one at least has to.
    assert stopped[0] == "i1"
    assert len(stopped) == 2
