"""Restart policies: whether a container that exited is started again in place.

Rule: Amazon ECS Developer Guide, "Restart individual containers in Amazon ECS tasks with container
restart policies".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from openecs.model.containers import ContainerObservation
from openecs.model.task_definitions import RestartPolicy
from openecs.model.tasks import Container


def should_restart(
    policy: RestartPolicy | None,
    container: Container,
    observed: ContainerObservation,
    now: datetime,
) -> bool:
    """Whether the policy restarts a container of a task that is to run, observed as exited.

    Restarts count from the last restart, or the first start: one sooner than
    ``restart_attempt_period`` after it is not attempted.
    """
    if policy is None or not policy.enabled or observed.exit_code is None:
        return False
    if observed.exit_code in policy.ignored_exit_codes:
        return False
    since = container.restarted_at or container.started_at or observed.started_at
    period = timedelta(seconds=policy.restart_attempt_period)
    return since is not None and now - since >= period


def is_restart_due(container: Container, observed: ContainerObservation) -> bool:
    """Whether a restart was decided on after the observed exit, and has not happened yet."""
    if container.restarted_at is None or observed.finished_at is None:
        return False
    return observed.finished_at <= container.restarted_at
