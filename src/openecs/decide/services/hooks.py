"""Lifecycle hooks of a deployment: which run at a stage, when they are late, what their end means.

Developer Guide, "Lifecycle hooks for Amazon ECS service deployments".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from openecs.model.services import (
    HookRun,
    HookStatus,
    HookTargetType,
    HookTimeout,
    LifecycleHook,
    LifecycleStage,
    Service,
    TrafficShift,
)

_WAITING = frozenset({HookStatus.AWAITING_ACTION, HookStatus.IN_PROGRESS})
_WORDS = {HookTargetType.AWS_LAMBDA: "lambda", HookTargetType.PAUSE: "pause"}


def begun(
    shift: TrafficShift, stages: Iterable[LifecycleStage], fresh: str, now: datetime
) -> TrafficShift:
    """The shift with the hooks of these stages under way; ``fresh`` makes their ids unique."""
    wanted = frozenset(stages)
    hooks = enumerate(shift.configuration.lifecycle_hooks)
    runs = tuple(
        _run(number, hook, fresh, now)
        for number, hook in hooks
        if wanted.intersection(hook.lifecycle_stages)
    )
    return replace(shift, hooks=runs)


def is_waiting(run: HookRun) -> bool:
    """Whether the deployment waits for it."""
    return run.status in _WAITING


def expired(shift: TrafficShift, now: datetime) -> TrafficShift:
    """The shift with those hooks timed out that are late."""
    runs = tuple(
        replace(run, status=HookStatus.TIMED_OUT)
        if is_waiting(run) and run.expires_at <= now
        else run
        for run in shift.hooks
    )
    return replace(shift, hooks=runs)


def timeout(hook: LifecycleHook) -> HookTimeout:
    """How long a hook may take, and what comes then."""
    return hook.timeout_configuration or HookTimeout()


def with_run(service: Service, run: HookRun) -> Service:
    """The service with what has become of a hook of its newest deployment."""
    primary = service.primary
    if primary is None or primary.shift is None:
        return service
    runs = tuple(run if each.id == run.id else each for each in primary.shift.hooks)
    updated = replace(primary, shift=replace(primary.shift, hooks=runs))
    return replace(service, deployments=(updated, *service.deployments[1:]))


def problem(shift: TrafficShift) -> str | None:
    """Why the deployment has to go back because of its hooks, or None."""
    return next(filter(None, (_problem(shift, run) for run in shift.hooks)), None)


def _run(number: int, hook: LifecycleHook, fresh: str, now: datetime) -> HookRun:
    is_pause = hook.target_type is HookTargetType.PAUSE
    return HookRun(
        id=f"ecs-{_WORDS[hook.target_type]}-{fresh}{number}",
        hook=number,
        status=HookStatus.AWAITING_ACTION if is_pause else HookStatus.IN_PROGRESS,
        expires_at=now + timedelta(minutes=timeout(hook).timeout_in_minutes),
        call_after=None if is_pause else now,
        hook_details=hook.hook_details,
    )


def _problem(shift: TrafficShift, run: HookRun) -> str | None:
    hook = shift.configuration.lifecycle_hooks[run.hook]
    if run.status is HookStatus.FAILED:
        target = f"Lifecycle hook target {hook.hook_target_arn} returned FAILED status."
        return run.reason or f"{shift.stage} lifecycle hook(s) failed. {target}"
    if run.status is HookStatus.TIMED_OUT and timeout(hook).action == "ROLLBACK":
        return f"{shift.stage} {_WORDS[hook.target_type]} hook timed out"
    return None
