"""How a target is said to fare: what comes before what the checks have found.

Elastic Load Balancing API Reference, ``TargetHealth``.
"""

from __future__ import annotations

from dataclasses import dataclass

from openecs.model.load_balancing import Target, TargetHealth, TargetState


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """A state, and why it is not healthy."""

    state: TargetState
    reason: str | None = None
    description: str | None = None


DRAINING = TargetStatus(
    state=TargetState.DRAINING,
    reason="Target.DeregistrationInProgress",
    description="Target deregistration is in progress",
)
UNUSED = TargetStatus(
    state=TargetState.UNUSED,
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)
REGISTERING = TargetStatus(
    state=TargetState.INITIAL,
    reason="Elb.RegistrationInProgress",
    description="Target registration is in progress",
)
NOT_REGISTERED = TargetStatus(
    state=TargetState.UNUSED,
    reason="Target.NotRegistered",
    description="Target is not registered to the target group",
)


def status(target: Target, health: TargetHealth | None, *, is_used: bool) -> TargetStatus:
    """The state of a registered target; ``is_used``: a listener or rule forwards to its group."""
    if target.draining_since is not None:
        return DRAINING
    if not is_used:
        return UNUSED
    if health is None or health.registered_at != target.registered_at:
        return REGISTERING
    return TargetStatus(state=health.state, reason=health.reason, description=health.description)
