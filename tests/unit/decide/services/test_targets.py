"""What target groups say of a task, and what the scheduler makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide.services.health import Condition, survey
from openecs.decide.services.outcome import complaints, stops_of
from openecs.decide.services.state import SchedulerSettings, ServiceState, TargetVerdict
from openecs.decide.services.targets import verdict
from openecs.model.load_balancing import TargetHealth, TargetState
from openecs.model.tasks import HealthStatus, ServedGroup, TaskStatus
from openecs.testing.builders import NOW, SCOPE
from openecs.testing.service_world import a_service, a_service_task

GROUPS = tuple(
    ServedGroup(
        target_group_arn=f"arn:{name}",
        container_name="app",
        container_port=80,
        target_id="i-1",
        target_port=49153,
    )
    for name in ("one", "other")
)
TASK = a_service_task(1, served_groups=GROUPS, last_status=TaskStatus.RUNNING, started_at=NOW)
SICK = TargetVerdict(
    healthy=False,
    target_group_arn="arn:one",
    target="(task 1) (port 80)",
    reason="Request timed out",
)


def health(state, description=None):
    return TargetHealth(
        scope=SCOPE,
        target_group="g",
        id="i-1",
        port=49153,
        state=state,
        description=description,
        registered_at=NOW,
    )


@pytest.mark.parametrize(
    ("states", "healthy"),
    [
        ([TargetState.HEALTHY, TargetState.HEALTHY], True),
        ([TargetState.HEALTHY, None], None),
        ([TargetState.HEALTHY, TargetState.INITIAL], None),
        ([TargetState.UNUSED, TargetState.HEALTHY], None),
        ([TargetState.INITIAL, TargetState.UNHEALTHY], False),
        ([None, None], None),
    ],
)
def test_all_of_them_decide(states, healthy) -> None:
    found = {g: health(s) for g, s in zip(GROUPS, states, strict=True) if s}
    assert verdict(TASK, found).healthy is healthy


def test_the_one_that_complains_is_named() -> None:
    said = "Health checks failed with these codes: [500]"
    found = {GROUPS[1]: health(TargetState.UNHEALTHY, said)}
    assert verdict(TASK, found) == TargetVerdict(
        healthy=False,
        target_group_arn="arn:other",
        target="(instance i-1) (port 49153)",
        reason=said,
    )
    by_address = replace(GROUPS[1], target_id="10.0.0.1", target_port=80)
    task = replace(TASK, served_groups=(by_address,))
    assert verdict(task, {by_address: health(TargetState.UNHEALTHY)}).target == (
        f"(task {task.id}) (port 80)"
    )


def member(task, said, *, grace=0, later=0):
    service = a_service(health_check_grace_period_seconds=grace)
    state = ServiceState(service=service, tasks=(task,), targets={task.id: said} if said else {})
    now = NOW + timedelta(seconds=later)
    return survey(state, SchedulerSettings(), now).members[0]


@pytest.mark.parametrize(
    ("said", "grace", "condition"),
    [
        (TargetVerdict(healthy=True), 0, Condition.HEALTHY),
        (TargetVerdict(healthy=None), 0, Condition.UNPROVEN),
        (SICK, 0, Condition.UNHEALTHY),
        (SICK, 60, Condition.UNPROVEN),
        (SICK, 5, Condition.UNHEALTHY),
    ],
)
def test_a_verdict_makes_the_condition(said, grace, condition) -> None:
    assert member(TASK, said, grace=grace, later=10).condition is condition


def test_why_a_task_is_replaced_is_told() -> None:
    sick = member(TASK, SICK)
    assert complaints(a_service(), [sick]) == (
        (
            "(service web) (task 1) (port 80) is unhealthy in (target-group arn:one) due to "
            "(reason Request timed out)"
        ),
    )
    assert [s.reason for s in stops_of(a_service(), [sick])] == [
        "Task failed ELB health checks in (target-group arn:one)"
    ]
    both = member(replace(TASK, health_status=HealthStatus.UNHEALTHY), SICK)
    assert complaints(a_service(), [both]) == (
        f"(service web) (task {TASK.id}) failed container health checks.",
    )
