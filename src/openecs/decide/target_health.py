"""What a health check's outcome makes of a target.

Elastic Load Balancing, "Health checks for Application Load Balancer target groups" and "Health
checks for Network Load Balancer target groups": a new target of an application load balancer is
healthy after one success, one of a network load balancer after HealthyThresholdCount in a row.
"""

from __future__ import annotations

from dataclasses import dataclass

from openecs.model.load_balancing import TargetGroup, TargetHealthCheck, TargetState

REGISTERING = "Elb.RegistrationInProgress"
CHECKING = "Elb.InitialHealthChecking"
MISMATCH = "Target.ResponseCodeMismatch"
TIMEOUT = "Target.Timeout"
FAILED = "Target.FailedHealthChecks"
INTERNAL = "Elb.InternalError"

#: Texts of the API for each reason but a mismatch, which names the code.
DESCRIPTIONS = {
    REGISTERING: "Target registration is in progress",
    CHECKING: "Initial health checks in progress",
    TIMEOUT: "Request timed out",
    FAILED: "Health checks failed",
    INTERNAL: "Health checks failed due to an internal error",
}

_NETWORK = frozenset({"TCP", "UDP", "TLS", "TCP_UDP"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state of a target, and why it is not healthy."""

    state: TargetState
    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check found; ``reason`` is None where the target is well."""

    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A target between two checks: what it is taken for, and its last checks in a row."""

    verdict: Verdict
    successes: int = 0
    failures: int = 0


WELL = Outcome()
NEW = Standing(
    verdict=Verdict(state=TargetState.INITIAL, reason=CHECKING, description=DESCRIPTIONS[CHECKING])
)


def failure(reason: str) -> Outcome:
    """A check that failed for a reason with a text of its own."""
    return Outcome(reason=reason, description=DESCRIPTIONS[reason])


def judged(code: int, codes: str) -> Outcome:
    """The outcome of an answer with a status, where ``codes`` are asked for: ``200,300-399``."""
    if any(code in _range(part) for part in codes.split(",")):
        return WELL
    return Outcome(reason=MISMATCH, description=f"Health checks failed with these codes: [{code}]")


def after(standing: Standing, outcome: Outcome, group: TargetGroup) -> Standing:
    """The standing of a target after one more check."""
    check, state = group.health_check, standing.verdict.state
    if outcome.reason is None:
        successes = standing.successes + 1
        is_healthy = state is TargetState.HEALTHY or successes >= _needed(group, check, state)
        verdict = Verdict(state=TargetState.HEALTHY) if is_healthy else standing.verdict
        return Standing(verdict=verdict, successes=successes)
    failures = standing.failures + 1
    is_sick = state is TargetState.UNHEALTHY or failures >= check.unhealthy_threshold
    verdict = _sick(outcome) if is_sick else standing.verdict
    return Standing(verdict=verdict, failures=failures)


def _needed(group: TargetGroup, check: TargetHealthCheck, state: TargetState) -> int:
    """How many successes in a row make the target healthy."""
    is_new = state is TargetState.INITIAL
    return 1 if is_new and group.protocol not in _NETWORK else check.healthy_threshold


def _sick(outcome: Outcome) -> Verdict:
    return Verdict(
        state=TargetState.UNHEALTHY, reason=outcome.reason, description=outcome.description
    )


def _range(part: str) -> range:
    first, _, last = part.strip().partition("-")
    return range(int(first), int(last or first) + 1)
