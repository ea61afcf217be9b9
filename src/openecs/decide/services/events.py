"""What a service says of itself: the messages of its events, in AWS's words.

Developer Guide, "Amazon ECS service event messages".
"""

from __future__ import annotations

from collections.abc import Iterable

UNHEALTHY_REPLACED = " Amazon ECS replaced {count} tasks due to an unhealthy status."


def said(service: str, message: str) -> str:
    """A message with the service it is of in front."""
    return f"(service {service}) {message}"


def started(service: str, tasks: Iterable[str], replaced: int) -> str:
    """Tasks were started, so many of them in the place of unhealthy ones."""
    listed = tuple(tasks)
    suffix = UNHEALTHY_REPLACED.format(count=replaced) if replaced else ""
    return said(service, f"has started {len(listed)} tasks: {_named(listed)}.{suffix}")


def stopped_running(service: str, tasks: Iterable[str]) -> str:
    """Tasks that ran were stopped by the scheduler."""
    listed = tuple(tasks)
    return said(service, f"has stopped {len(listed)} running tasks: {_named(listed)}.")


def stopped_pending(service: str, count: int) -> str:
    """Tasks were stopped before they ran."""
    return said(service, f"stopped {count} pending tasks.")


def failed_health_checks(service: str, task: str) -> str:
    """A task is replaced because its containers are unhealthy."""
    return said(service, f"(task {task}) failed container health checks.")


def registered(service: str, target_group_arn: str) -> str:
    """A task has become a target."""
    return said(service, f"registered 1 targets in (target-group {target_group_arn})")


def deregistered(service: str, target_group_arn: str) -> str:
    """A task is no target any more, or drains."""
    return said(service, f"deregistered 1 targets in (target-group {target_group_arn})")


def failed_to_register(service: str, target_group_arn: str) -> str:
    """The target group of a service has been deleted."""
    return said(
        service,
        f"failed to register targets in (target-group {target_group_arn}) with (error The target "
        f"group {target_group_arn} not found)",
    )


def failed_target_checks(service: str, target: str, target_group_arn: str, why: str) -> str:
    """A task is replaced because a target group finds it unhealthy; ``target`` as ``(task ID)``."""
    return said(
        service,
        f"{target} is unhealthy in (target-group {target_group_arn}) due to (reason {why})",
    )


def steady(service: str) -> str:
    """The service is what it is to be."""
    return said(service, "has reached a steady state.")


def completed(service: str, deployment: str) -> str:
    """A deployment has taken over."""
    return said(service, f"(deployment {deployment}) deployment completed.")


def failed(service: str, deployment: str, why: str) -> str:
    """A deployment was given up."""
    return said(service, f"(deployment {deployment}) deployment failed: {why}.")


def rolling_back(service: str, deployment: str) -> str:
    """A deployment was begun that goes back."""
    return said(service, f"rolling back to deployment {deployment}.")


def unable_to_start(service: str) -> str:
    """Starts fail again and again."""
    return said(
        service,
        "is unable to consistently start tasks successfully. For more information, see the "
        "Troubleshooting section of the Amazon ECS Developer Guide.",
    )


def held_by_bounds(service: str) -> str:
    """The bounds of the deployment leave no move."""
    return said(
        service,
        "was unable to stop or start tasks during a deployment because of the service deployment "
        "configuration. Update the minimumHealthyPercent or maximumPercent value and try again.",
    )


def held_by_protection(service: str, task_set: str) -> str:
    """More tasks are protected than are wanted."""
    return said(
        service,
        f"was unable to reach steady state because task set ({task_set}) was unable to scale in. "
        "Reason: The number of protected tasks are more than the desired count of tasks.",
    )


def _named(tasks: Iterable[str]) -> str:
    return " ".join(f"(task {task})" for task in tasks)
