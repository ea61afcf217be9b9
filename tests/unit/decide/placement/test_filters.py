from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.decide.placement import filters
from openecs.decide.placement.ask import Ask
from openecs.decide.placement.filters import Rejection
from openecs.decide.placement.resources import Resources, remaining
from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.task_definitions import PlacementConstraint
from openecs.model.tasks import TaskStatus
from openecs.testing.builders import a_machine, a_task
from openecs.testing.instances import an_instance

ASK = Ask(cpu=256, memory=256, host_ports=frozenset({"80/tcp"}), group="g")
FITTING = an_instance("i1", attributes={"ecs.cpu-architecture": "x86_64", "ssd": None})


def member_of(expression: str) -> Ask:
    constraint = PlacementConstraint(type="memberOf", expression=expression)
    return replace(ASK, constraints=(constraint,))


DISTINCT = replace(ASK, constraints=(PlacementConstraint(type="distinctInstance"),))


def test_an_instance_that_has_all():
    ask = replace(
        member_of("attribute:ssd exists and runningTasksCount == 0"),
        required_attributes=frozenset({"ssd"}),
        architecture="x86_64",
    )
    assert filters.reject(ask, FITTING) is None


@pytest.mark.parametrize(
    ("ask", "change", "rejection"),
    [
        (ASK, {"status": ContainerInstanceStatus.DRAINING}, Rejection.INACTIVE),
        (ASK, {"connected": False}, Rejection.AGENT),
        (replace(ASK, required_attributes=frozenset({"gpu"})), {}, Rejection.ATTRIBUTE),
        (replace(ASK, architecture="arm64"), {}, Rejection.ATTRIBUTE),
        (replace(ASK, cpu=1025), {}, Rejection.CPU),
        (replace(ASK, memory=1025), {}, Rejection.MEMORY),
        (
            ASK,
            {"free": Resources(cpu=1024, memory=1024, ports=frozenset({"80/tcp"}))},
            Rejection.PORTS,
        ),
        (member_of("attribute:color == red"), {}, Rejection.MEMBER_OF),
        (member_of("this is no query"), {}, Rejection.MEMBER_OF),
        (DISTINCT, {"groups": {"g": 1}}, Rejection.DISTINCT_INSTANCE),
    ],
)
def test_each_filter(ask, change, rejection):
    assert filters.reject(ask, replace(FITTING, **change)) is rejection


def test_other_groups_may_share_an_instance():
    assert filters.reject(DISTINCT, replace(FITTING, groups={"other": 3, "g": 0})) is None


def test_what_is_asked_first_is_told_first():
    worst = replace(FITTING, connected=False, status=ContainerInstanceStatus.INACTIVE)
    assert filters.reject(replace(ASK, cpu=9999), worst) is Rejection.INACTIVE
    assert filters.reject(replace(ASK, cpu=9999, memory=9999), FITTING) is Rejection.CPU


@pytest.mark.parametrize(
    ("type_", "expression", "valid"),
    [
        ("memberOf", "task:group == g", True),
        ("memberOf", "task:group ==", False),
        ("memberOf", None, False),
        ("distinctInstance", None, True),
    ],
)
def test_what_is_wrong_with_a_constraint(type_, expression, valid):
    problem = filters.problem_of(PlacementConstraint(type=type_, expression=expression))
    assert (problem is None) is valid


def test_what_a_machine_has_left():
    tasks = [
        a_task(1, cpu=512, memory=100, host_ports=("80/tcp",)),
        a_task(2, cpu=256, memory=50),
        a_task(3, cpu=999, memory=999, last_status=TaskStatus.STOPPED),
    ]
    machine = a_machine(cpu=1024, memory=1000, reserved_ports=("22/tcp",))
    assert remaining(machine, tasks) == Resources(
        cpu=256, memory=850, ports=frozenset({"22/tcp", "80/tcp"})
    )
