from datetime import timedelta

from openecs.decide.services.health import Condition, Member
from openecs.decide.services.victims import victims
from openecs.model.services import DeploymentStatus
from openecs.model.task_definitions import PlacementStrategy
from openecs.testing.builders import NOW
from openecs.testing.service_world import a_deployment, a_service, a_service_task


def a_member(number, place="i1", *, zone="a", condition=Condition.HEALTHY, **changes) -> Member:
    values = {"started_by": "ecs-svc/2", "created_at": NOW + timedelta(seconds=number)} | changes
    task = a_service_task(number, container_instance=place, availability_zone=zone, **values)
    return Member(task=task, condition=condition)


def chosen(members, count, *strategies) -> list[int]:
    deployments = (
        a_deployment(2),
        a_deployment(1, status=DeploymentStatus.ACTIVE),
    )
    service = a_service(deployments=deployments, placement_strategy=strategies)
    return [int(m.task.id, 16) for m in victims(members, count, service)]


def test_older_deployments_go_first_then_what_is_missed_least():
    members = [
        a_member(1),
        a_member(2, condition=Condition.PENDING),
        a_member(3, started_by="ecs-svc/1"),
        a_member(4, condition=Condition.UNHEALTHY),
    ]
    assert chosen(members, 4) == [3, 2, 4, 1]


def test_of_equal_ones_the_newest_goes():
    assert chosen([a_member(1), a_member(3), a_member(2)], 1) == [3]


def test_by_default_the_fullest_zone_gives_and_in_it_the_fullest_instance():
    members = [
        a_member(1, "i1", zone="a"),
        a_member(2, "i2", zone="b"),
        a_member(3, "i3", zone="b"),
        a_member(4, "i3", zone="b"),
    ]
    assert chosen(members, 2) == [4, 3]


def test_spread_takes_from_the_largest_bucket_in_turn():
    members = [a_member(n, place) for n, place in enumerate(["i1"] * 3 + ["i2"] * 2 + ["i3"], 1)]
    spread = PlacementStrategy(type="spread", field="instanceId")
    assert chosen(members, 3, spread) == [3, 5, 2]


def test_binpack_empties_the_emptiest_instance():
    members = [a_member(1, "i1"), a_member(2, "i1"), a_member(3, "i2")]
    assert chosen(members, 1, PlacementStrategy(type="binpack", field="memory")) == [3]


def test_protected_tasks_are_never_chosen():
    task = a_service_task(1)
    kept = Member(task=task, condition=Condition.PENDING, protected_until=NOW)
    assert chosen([kept, a_member(2)], 2) == [2]
