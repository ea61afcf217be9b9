"""How a target fares, from what its health checks came to.

Elastic Load Balancing, "Health checks for Application Load Balancer target groups" and "Health
checks for Network Load Balancer target groups": states, reason codes, descriptions, thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from openecs.model.load_balancing import (
    Target,
    TargetGroup,
    TargetHealthCheck,
    TargetState,
    TargetType,
)

_APPLICATION = frozenset({"HTTP", "HTTPS"})
_GRPC_CODES = "12"
_ALB_CODES, _NLB_CODES = "200", "200-399"


class Failure(Enum):
    """How a check failed without a code: its reason and description."""

    TIMEOUT = ("Target.Timeout", "Request timed out")
    FAILED = ("Target.FailedHealthChecks", "Health checks failed")
    INTERNAL = ("Elb.InternalError", "Health checks failed due to an internal error")


@dataclass(frozen=True, slots=True)
class Answered:
    """The target answered with a status code: HTTP's, or gRPC's where the group speaks that."""

    code: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The target accepted the connection of a TCP check."""


#: What one check came to.
Outcome = Answered | Connected | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What checks of a target group ask for. Thresholds count consecutive checks."""

    #: Of a target that has not been healthy yet: 1 for application load balancers.
    first_healthy_threshold: int
    healthy_threshold: int
    unhealthy_threshold: int
    #: ``200``, ``200-399``, ``200,202``; None: any answer will do.
    codes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A target's state and why, and the row of equal outcomes that ends with the last check."""

    state: TargetState
    reason: str | None = None
    description: str | None = None
    successes: int = 0
    failures: int = 0


INITIAL = Health(
    state=TargetState.INITIAL,
    reason="Elb.InitialHealthChecking",
    description="Initial health checks in progress",
)
UNAVAILABLE = Health(
    state=TargetState.UNAVAILABLE,
    reason="Target.HealthCheckDisabled",
    description="Health checks are disabled",
)


def criteria(group: TargetGroup) -> Criteria:
    """What a target of the group has to do to be healthy."""
    check = group.health_check
    is_function = group.target_type is TargetType.LAMBDA
    balances_requests = is_function or group.protocol in _APPLICATION
    return Criteria(
        first_healthy_threshold=1 if balances_requests else check.healthy_threshold,
        healthy_threshold=check.healthy_threshold,
        unhealthy_threshold=check.unhealthy_threshold,
        codes=_codes(group),
    )


def check_port(check: TargetHealthCheck, target: Target) -> int:
    """The port that is checked: ``traffic-port`` is the target's own."""
    return target.port if check.port == "traffic-port" else int(check.port)


def matches(codes: str, code: int) -> bool:
    """Whether a code is among ``200``, ``200-399`` or ``200,202``, or a mixture of these."""
    return any(_in_range(part, code) for part in codes.split(","))


def next_health(health: Health, outcome: Outcome, wanted: Criteria) -> Health:
    """The health of a target after one more check."""
    failure = failure_of(outcome, wanted.codes)
    if failure is None:
        return _after_success(health, wanted)
    return _after_failure(health, failure, wanted)


def failure_of(outcome: Outcome, codes: str | None) -> tuple[str, str] | None:
    """The reason and description of a failed check, None of one that succeeded."""
    match outcome:
        case Connected():
            return None
        case Answered(code):
            if codes is None or matches(codes, code):
                return None
            return "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]"
        case Failure():
            return outcome.value


def delay_after(checks: int, interval: float, phase: float) -> float:
    """Seconds from the start of a target's check to that of the next; ``checks`` ran before.

    The first few come up to a quarter early, by the target's ``phase`` (0 to 1), so that targets
    that began together end up evenly spread over the interval.
    """
    return interval * (1 - 0.25 * phase) if checks <= 4 else interval


def _after_success(health: Health, wanted: Criteria) -> Health:
    successes = health.successes + 1
    is_new = health.state is TargetState.INITIAL
    needed = wanted.first_healthy_threshold if is_new else wanted.healthy_threshold
    if health.state is TargetState.HEALTHY or successes >= needed:
        return Health(state=TargetState.HEALTHY, successes=successes)
    return replace(health, successes=successes, failures=0)


def _after_failure(health: Health, failure: tuple[str, str], wanted: Criteria) -> Health:
    failures = health.failures + 1
    reason, description = failure
    if health.state is TargetState.UNHEALTHY or failures >= wanted.unhealthy_threshold:
        return Health(
            state=TargetState.UNHEALTHY, reason=reason, description=description, failures=failures
        )
    return replace(health, successes=0, failures=failures)


def _codes(group: TargetGroup) -> str | None:
    check = group.health_check
    if check.protocol not in _APPLICATION:
        return None
    if group.protocol_version == "GRPC":
        return check.grpc_codes or _GRPC_CODES
    return check.http_codes or (_ALB_CODES if group.protocol in _APPLICATION else _NLB_CODES)


def _in_range(part: str, code: int) -> bool:
    first, _, last = part.strip().partition("-")
    return int(first) <= code <= int(last or first)
