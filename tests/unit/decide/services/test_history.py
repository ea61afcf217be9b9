from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide.services.circuit_breaker import TASKS_FAILED, give_up, roll_back
from openecs.decide.services.history import advance, is_over
from openecs.model.deployment_failures import CircuitBreaker
from openecs.model.services import (
    DeploymentConfiguration,
    RolloutState,
    ServiceDeployment,
    ServiceDeploymentStatus,
)
from openecs.testing.builders import NOW, SCOPE
from openecs.testing.service_world import a_deployment, a_revision, a_service

LATER = NOW + timedelta(seconds=60)
COUNTS = {"2": (3, 3, 0), "1": (0, 0, 0)}
Status = ServiceDeploymentStatus


def a_record(**changes) -> ServiceDeployment:
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "service": "web",
        "id": "2",
        "status": Status.PENDING,
        "target_revision": "2",
        "source_revisions": ("1",),
        "deployment_configuration": DeploymentConfiguration(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return ServiceDeployment(**(values | changes))


def a_deploying_service(*, enable=True, rollback=True, **changes):
    configuration = DeploymentConfiguration(
        deployment_circuit_breaker=CircuitBreaker(enable=enable, rollback=rollback)
    )
    return a_service(
        desired_count=3,
        deployment_configuration=configuration,
        deployments=(a_deployment(2, **changes),),
        completed_revision=a_revision(1),
    )


def test_it_is_in_progress_with_its_deployment():
    record = advance(a_record(), a_deploying_service(failed_tasks=2), COUNTS, LATER)
    assert record.status is Status.IN_PROGRESS
    assert record.started_at == record.updated_at == LATER
    assert (record.breaker_status, record.failure_count, record.threshold) == ("MONITORING", 2, 3)
    again = advance(record, a_deploying_service(failed_tasks=2), COUNTS, LATER + LATER.resolution)
    assert again == record


def test_without_a_breaker_that_is_disabled():
    record = advance(a_record(), a_deploying_service(enable=False), COUNTS, LATER)
    assert (record.breaker_status, record.threshold) == ("DISABLED", 0)


def test_it_is_successful_when_its_deployment_completed():
    service = a_deploying_service(rollout_state=RolloutState.COMPLETED)
    record = advance(a_record(), service, COUNTS, LATER)
    assert record.status is Status.SUCCESSFUL
    assert record.finished_at == LATER
    assert record.stopped_at is None
    assert record.final_counts == (("1", 0, 0, 0), ("2", 3, 3, 0))
    assert record.breaker_status == "MONITORING_COMPLETE"
    assert advance(record, a_deploying_service(), {}, LATER + timedelta(1)) == record


def rolled_back(**changes):
    failed = give_up(a_deploying_service(failed_tasks=3, **changes), TASKS_FAILED, NOW)
    service = roll_back(failed, "ecs-svc/3", "going back", NOW)
    assert service
    return service


def with_primary(service, state):
    primary, *older = service.deployments
    return replace(service, deployments=(replace(primary, rollout_state=state), *older))


def test_a_rollback_is_told_with_its_reason():
    record = advance(a_record(status=Status.IN_PROGRESS), rolled_back(), COUNTS, LATER)
    assert record.status is Status.ROLLBACK_IN_PROGRESS
    assert record.rollback
    assert record.rollback.revision == "1"
    assert record.rollback.started_at == LATER
    assert record.rollback.reason == record.status_reason
    assert record.status_reason == (
        "Service deployment rolled back because the circuit breaker threshold was exceeded."
    )
    assert (record.breaker_status, record.failure_count) == ("TRIGGERED", 3)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RolloutState.COMPLETED, Status.ROLLBACK_SUCCESSFUL),
        (RolloutState.FAILED, Status.ROLLBACK_FAILED),
    ],
)
def test_a_rollback_ends_well_or_not(state, expected):
    going = advance(a_record(), rolled_back(), COUNTS, NOW)
    primary = with_primary(rolled_back(), state).deployments[:1]
    record = advance(going, replace(rolled_back(), deployments=primary), COUNTS, LATER)
    assert record.status is expected
    assert record.finished_at == LATER
    assert record.rollback == going.rollback
    assert record.breaker_status == "TRIGGERED"


def test_a_failure_without_rollback_stops_it():
    service = give_up(a_deploying_service(rollback=False), TASKS_FAILED, NOW)
    record = advance(a_record(), service, COUNTS, LATER)
    assert record.status is Status.STOPPED
    assert record.stopped_at == LATER
    assert record.status_reason
    assert "circuit breaker threshold was exceeded" in record.status_reason


def test_a_rollback_without_a_candidate_failed():
    service = give_up(a_deploying_service(), TASKS_FAILED, NOW)
    record = advance(a_record(), service, COUNTS, LATER)
    assert record.status is Status.ROLLBACK_FAILED
    assert record.status_reason
    assert record.status_reason.endswith("No rollback candidate was found to run the rollback.")


def test_a_newer_service_deployment_stops_it():
    service = replace(a_deploying_service(), deployments=(a_deployment(5), a_deployment(2)))
    record = advance(a_record(), service, COUNTS, LATER)
    assert record.status is Status.STOPPED
    assert is_over(record)


def test_a_deleted_service_stops_it():
    record = advance(a_record(), replace(a_deploying_service(), deployments=()), COUNTS, LATER)
    assert record.status is Status.STOPPED
    assert record.status_reason == (
        "Service deployment was stopped because the service was deleted."
    )


def test_a_requested_rollback_is_told_as_such():
    requested = advance(
        a_record(status=Status.ROLLBACK_REQUESTED), a_deploying_service(), COUNTS, LATER
    )
    assert requested.status is Status.ROLLBACK_REQUESTED
    service = roll_back(a_deploying_service(), "ecs-svc/3", "going back", NOW)
    assert service
    record = advance(requested, service, COUNTS, LATER)
    assert record.status is Status.ROLLBACK_IN_PROGRESS
    assert record.status_reason == "Service deployment rolled back because a user requested it."
