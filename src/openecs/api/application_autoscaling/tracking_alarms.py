"""The alarms by which target tracking is told, named and set as AWS names and sets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from openecs.api.base import ApiSettings, Call
from openecs.decide.alarm_transitions import configured
from openecs.model.alarms import (
    AlarmActions,
    Comparison,
    MetricAlarm,
    MetricStat,
    MissingData,
)
from openecs.model.identity import Ids
from openecs.model.metrics import dimensions
from openecs.model.scaling import ScalableTarget, ScalingPolicy, TargetTracking
from openecs.store.alarms import ALARM_HISTORY, METRIC_ALARMS
from openecs.store.base import Transaction

PERIOD = "openecs:scaling-period"
OUT_DATAPOINTS = "openecs:scale-out-datapoints"
IN_DATAPOINTS = "openecs:scale-in-datapoints"

_LOW = 0.9
_MOST_DATAPOINTS = 100
_PERIODS = (10, 20, 30, 60)


@dataclass(frozen=True, slots=True)
class Pace:
    """The period of the alarms in seconds, and the datapoints until each is raised."""

    period: int
    out: int
    into: int


def pace(tags: Mapping[str, str], settings: ApiSettings) -> Pace:
    """What a target's tags say; else the settings, which are as AWS unless they are set."""
    return Pace(
        int(tags.get(PERIOD, settings.scaling_period)),
        int(tags.get(OUT_DATAPOINTS, settings.scale_out_datapoints)),
        int(tags.get(IN_DATAPOINTS, settings.scale_in_datapoints)),
    )


def problem_of(tags: Mapping[str, str]) -> str | None:
    """Why the tags do not say a pace."""
    given = tags.get(PERIOD, "60")
    if given not in {str(each) for each in _PERIODS}:
        return f"The tag {PERIOD} must be one of 10, 20, 30 and 60"
    for key in (OUT_DATAPOINTS, IN_DATAPOINTS):
        value = tags.get(key, "1")
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= _MOST_DATAPOINTS):
            return f"The tag {key} must be a number from 1 to {_MOST_DATAPOINTS}"
    return None


def names(policy: ScalingPolicy, ids: Ids) -> tuple[str, ...]:
    """The names of a policy's alarms; those that it has stay."""
    wanted = ("High", "Low") if policy.tracking and policy.tracking.scales_in else ("High",)
    known = dict(zip(("High", "Low"), policy.alarms, strict=False))
    prefix = f"TargetTracking-{policy.resource_id}-Alarm"
    return tuple(known.get(each) or f"{prefix}{each}-{ids.uuid()}" for each in wanted)


def put(tx: Transaction, call: Call, target: ScalableTarget, policy: ScalingPolicy) -> None:
    """Write the alarms of a policy; those that are there keep their state."""
    paced = pace(target.tags, call.settings)
    for made in _made(paced, policy, call.now):
        known = tx.get(METRIC_ALARMS, target.scope, made.name)
        alarm = made if known is None else _as_it_is(made, known)
        tx.put(METRIC_ALARMS, alarm)
        what = "Create" if known is None else "Update"
        tx.add(ALARM_HISTORY, configured(alarm, what, call.ids.uuid(), call.now))


def _as_it_is(alarm: MetricAlarm, known: MetricAlarm) -> MetricAlarm:
    return replace(
        alarm,
        state=known.state,
        reason=known.reason,
        reason_data=known.reason_data,
        updated_at=known.updated_at,
        transitioned_at=known.transitioned_at,
        tags=known.tags,
    )


def metric_of(tracking: TargetTracking, resource_id: str) -> MetricStat | None:
    """The metric that is tracked, in minutes; None where it is metric math."""
    if tracking.predefined is None:
        return tracking.metric
    if tracking.predefined == "ALBRequestCountPerTarget":
        label = tracking.resource_label or ""
        group = label[label.index("targetgroup/") :]
        return MetricStat(
            namespace="AWS/ApplicationELB",
            name="RequestCountPerTarget",
            dimensions=dimensions(TargetGroup=group),
            period=60,
            stat="Sum",
        )
    _, cluster, service = resource_id.split("/")
    name = tracking.predefined.removeprefix("ECSServiceAverage")
    return MetricStat(
        namespace="AWS/ECS",
        name=name,
        dimensions=dimensions(ClusterName=cluster, ServiceName=service),
        period=60,
        stat="Average",
        unit="Percent",
    )


def _made(paced: Pace, policy: ScalingPolicy, now: datetime) -> list[MetricAlarm]:
    tracking = policy.tracking
    if tracking is None:
        return []
    metric = metric_of(tracking, policy.resource_id)
    counted = metric is not None and metric.stat in {"Sum", "SampleCount"}
    wanted = tracking.target * (paced.period / 60 if counted else 1)
    high = MetricAlarm(
        scope=policy.scope,
        name=policy.alarms[0],
        description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.action_arn}.",
        actions=AlarmActions(alarm=(policy.action_arn,)),
        metric=replace(metric, period=paced.period) if metric else None,
        # In minutes, whatever the pace: nobody knows what an expression makes of shorter sums.
        queries=tracking.queries,
        comparison=Comparison.GREATER,
        threshold=wanted,
        evaluation_periods=paced.out,
        missing_data=MissingData.MISSING,
        configured_at=now,
        updated_at=now,
        transitioned_at=now,
    )
    made = [high]
    for name in policy.alarms[1:]:
        low = replace(
            high,
            name=name,
            comparison=Comparison.LESS,
            threshold=round(wanted * _LOW, 9),
            evaluation_periods=paced.into,
        )
        made.append(low)
    return made
