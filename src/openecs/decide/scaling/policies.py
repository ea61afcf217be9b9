"""What the policies of a target come to, together.

Any may scale out, and the largest capacity wins; nothing is scaled in while one wants more, nor
while a target tracking policy does not want less. Application Auto Scaling User Guide, "Choosing
between policies" and "Define cooldown periods".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from openecs.decide.scaling.capacity import stepped, tracked
from openecs.model.alarms import AlarmState, MetricAlarm
from openecs.model.scaling import NotScaled, ScalableTarget, ScaledOut, ScalingPolicy

_USUAL_COOLDOWN = 300
#: An alarm is acted on again this often while it stays, or each of its periods if those are less.
_AGAIN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A target, its policies and the alarms that are in ALARM for them, with their values."""

    target: ScalableTarget
    current: int
    policies: Sequence[ScalingPolicy]
    alarms: Sequence[MetricAlarm]
    #: The latest value of an alarm's metric, by the alarm's name.
    values: Mapping[str, float]
    is_deploying: bool
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The capacity that a policy wants because of an alarm."""

    policy: ScalingPolicy
    alarm: MetricAlarm
    capacity: int
    is_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done: ``capacity`` is set, or the reason told why nothing is.

    ``policies`` are the target's as they are to be written.
    """

    capacity: int | None = None
    demand: Demand | None = None
    not_scaled: NotScaled | None = None
    policies: tuple[ScalingPolicy, ...] = ()


def watches(policy: ScalingPolicy, alarm: MetricAlarm) -> bool:
    """Whether an alarm is in ALARM and has the policy among its actions."""
    if alarm.state is not AlarmState.ALARM or not alarm.actions.enabled:
        return False
    return any(_names(policy, arn) for arn in alarm.actions.alarm)


def next_due(policy: ScalingPolicy, alarm: MetricAlarm, now: datetime) -> datetime:
    """When an alarm is to be acted on: at its transition, and again while it stays."""
    acted, since = policy.acted.get(alarm.name), alarm.transitioned_at
    if acted is None or acted > now:
        # What was done in the future was done before the clock was set back.
        return min(since, now)
    if acted < since <= now:
        return since
    return acted + timedelta(seconds=min(alarm.period, _AGAIN))


def clamp(target: ScalableTarget, capacity: int) -> int:
    """The capacity within the target's bounds."""
    return min(max(capacity, target.minimum), target.maximum)


def decide(seen: Seen) -> Decision:
    """What is to be done now."""
    demands = _demands(seen)
    if not any(demand.is_due for demand in demands):
        return Decision()
    acted = tuple(_acted(policy, demands, seen.now) for policy in seen.policies)
    allowed, held = _allowed(seen, demands)
    if not allowed:
        return Decision(policies=acted, not_scaled=held, demand=demands[0] if held else None)
    best = max(allowed, key=lambda demand: demand.capacity)
    capacity = clamp(seen.target, best.capacity)
    if capacity == seen.current:
        return Decision(policies=acted, demand=best, not_scaled=_why_not(seen, best))
    written = tuple(_scaled(p, best, seen, capacity) for p in acted)
    return Decision(capacity=capacity, demand=best, policies=written)


def _demands(seen: Seen) -> list[Demand]:
    found = []
    for policy in seen.policies:
        for alarm in seen.alarms:
            value = seen.values.get(alarm.name)
            if value is None or not watches(policy, alarm):
                continue
            capacity = _wanted(seen, policy, alarm, value)
            if capacity is not None:
                is_due = next_due(policy, alarm, seen.now) <= seen.now
                demand = Demand(policy=policy, alarm=alarm, capacity=capacity, is_due=is_due)
                found.append(demand)
    return found


def _wanted(seen: Seen, policy: ScalingPolicy, alarm: MetricAlarm, value: float) -> int | None:
    """The capacity a policy wants; what its last scale-out has added counts toward it."""
    wanted = _computed(policy, alarm, value, seen.current)
    cooling = _cooling_base(policy, seen.now)
    if wanted is None or cooling is None or wanted <= seen.current:
        return wanted
    anew = _computed(policy, alarm, value, cooling)
    return max(anew if anew is not None else wanted, seen.current)


def _computed(policy: ScalingPolicy, alarm: MetricAlarm, value: float, current: int) -> int | None:
    if policy.step is not None:
        return stepped(policy.step, current, value, alarm.threshold)
    if policy.tracking is None:
        return None
    wanted = tracked(current, _per_minute(alarm, value), policy.tracking.target)
    if is_low(policy, alarm):
        return min(wanted, current)
    return max(wanted, current + 1)


def _per_minute(alarm: MetricAlarm, value: float) -> float:
    """What is counted, is counted by the minute, however short the alarm's periods are."""
    is_count = alarm.metric is not None and alarm.metric.stat in {"Sum", "SampleCount"}
    return value * 60 / alarm.period if is_count else value


def is_low(policy: ScalingPolicy, alarm: MetricAlarm) -> bool:
    """Whether it is the alarm by which a target tracking policy scales in."""
    return alarm.name in policy.alarms[1:]


def _allowed(seen: Seen, demands: Sequence[Demand]) -> tuple[list[Demand], NotScaled | None]:
    """The demands that may be met, and why none may where that is told."""
    suspended = seen.target.suspended
    outs = [d for d in demands if d.capacity > seen.current]
    if outs:
        # A demand that the capacity on its way meets holds no other back.
        return ([] if suspended.scale_out else outs), None
    still = [d for d in demands if d.capacity == seen.current]
    ins = [d for d in demands if d.capacity < seen.current]
    if not ins:
        return ([] if _cools(seen, still) else still), None
    if suspended.scale_in or _is_held(seen, demands) or _scales_out(still):
        return [], None
    if seen.is_deploying:
        return [], NotScaled.UNSCALABLE
    return [d for d in ins if not _in_cooldown(d.policy, seen.now)], None


def _cools(seen: Seen, still: Iterable[Demand]) -> bool:
    """Whether capacity is as wanted because it was just added."""
    return any(_cooling_base(d.policy, seen.now) is not None for d in still)


def _scales_out(demands: Iterable[Demand]) -> bool:
    return any(d.policy.tracking and not is_low(d.policy, d.alarm) for d in demands)


def _is_held(seen: Seen, demands: Sequence[Demand]) -> bool:
    """Whether a target tracking policy that scales in does not want less."""
    if any(d.policy.tracking is None for d in demands if d.capacity < seen.current):
        return False
    lower = {d.policy.name for d in demands if d.capacity < seen.current}
    tracking = (p for p in seen.policies if p.tracking and p.tracking.scales_in)
    return any(policy.name not in lower for policy in tracking)


def _why_not(seen: Seen, demand: Demand) -> NotScaled:
    if demand.capacity > seen.target.maximum:
        return NotScaled.AT_MAX
    if demand.capacity < seen.target.minimum:
        return NotScaled.AT_MIN
    if is_low(demand.policy, demand.alarm):
        return NotScaled.AT_MIN if seen.current == seen.target.minimum else NotScaled.FLAPPING
    return NotScaled.AT_DESIRED


def _acted(policy: ScalingPolicy, demands: Iterable[Demand], now: datetime) -> ScalingPolicy:
    mine = [d for d in demands if d.policy.name == policy.name]
    due = {d.alarm.name: now for d in mine if d.is_due}
    kept = {d.alarm.name for d in mine}
    earlier = {name: at for name, at in policy.acted.items() if name in kept}
    if not due:
        return policy
    is_news = any(d.alarm.transitioned_at == next_due(policy, d.alarm, now) for d in mine)
    told = None if is_news else policy.not_scaled
    return replace(policy, acted=earlier | due, not_scaled=told)


def _scaled(policy: ScalingPolicy, by: Demand, seen: Seen, capacity: int) -> ScalingPolicy:
    """The policy after a change of capacity: a scale-out ends the cooldown of every scale-in."""
    mine = policy.name == by.policy.name
    after = replace(policy, not_scaled=None)
    if capacity < seen.current:
        return replace(after, scaled_in_at=seen.now, scaled_out=None) if mine else after
    if not mine:
        return replace(after, scaled_in_at=None)
    base = _cooling_base(policy, seen.now)
    since = ScaledOut(at=seen.now, base=seen.current if base is None else base)
    return replace(after, scaled_out=since, scaled_in_at=None)


def _cooling_base(policy: ScalingPolicy, now: datetime) -> int | None:
    """The capacity before the last scale-out, while that cools down."""
    last = policy.scaled_out
    if last is None or not _cools_since(last.at, _out_cooldown(policy), now):
        return None
    return last.base


def _in_cooldown(policy: ScalingPolicy, now: datetime) -> bool:
    last = policy.scaled_in_at
    return last is not None and _cools_since(last, _in_seconds(policy), now)


def _cools_since(at: datetime, seconds: int, now: datetime) -> bool:
    """Whether a cooldown lasts; a clock that was set back to before its begin ends it."""
    return at <= now < at + timedelta(seconds=seconds)


def _out_cooldown(policy: ScalingPolicy) -> int:
    if policy.step is not None:
        return policy.step.cooldown
    given = policy.tracking.out_cooldown if policy.tracking else None
    return _USUAL_COOLDOWN if given is None else given


def _in_seconds(policy: ScalingPolicy) -> int:
    if policy.step is not None:
        return policy.step.cooldown
    given = policy.tracking.in_cooldown if policy.tracking else None
    return _USUAL_COOLDOWN if given is None else given


def _names(policy: ScalingPolicy, action: str) -> bool:
    return action == policy.arn or action.startswith(f"{policy.arn}:createdBy/")
