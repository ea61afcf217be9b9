"""DescribeAlarms, DescribeAlarmsForMetric. CloudWatch API Reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.cloudwatch import alarm_errors as errors
from openecs.api.cloudwatch import alarm_paging, alarm_requests, alarm_views
from openecs.decide import composite_alarms
from openecs.model.alarm_rules import RuleProblem
from openecs.model.alarms import AlarmType, CompositeAlarm, MetricAlarm
from openecs.store.alarms import COMPOSITE_ALARMS, METRIC_ALARMS, metric_words
from openecs.store.base import Kind, View

Alarm = MetricAlarm | CompositeAlarm
A = TypeVar("A", MetricAlarm, CompositeAlarm)

#: What goes with ParentsOfAlarmName or ChildrenOfAlarmName.
_PAGING = {"MaxRecords", "NextToken"}
_RELATED = ("ChildrenOfAlarmName", "ParentsOfAlarmName")


def describe_alarms(view: View, call: Call, request: Members) -> Members:
    """The alarms that are asked for, by name; composite ones where their type is asked for."""
    for member in _RELATED:
        if request.get(member) is not None:
            _check_alone(request, member)
            return _related(view, call, request, member)
    if request.get("AlarmNames") and request.get("AlarmNamePrefix"):
        raise errors.validation("AlarmNames and AlarmNamePrefix cannot be specified together.")
    types = request.get("AlarmTypes") or [AlarmType.METRIC]
    found: list[Alarm] = []
    if AlarmType.COMPOSITE in types:
        found += _found(view, call, request, COMPOSITE_ALARMS)
    if AlarmType.METRIC in types:
        found += _found(view, call, request, METRIC_ALARMS)
    shown, token = alarm_paging.page(request, sorted(found, key=_name), _name)
    return _answer(shown, token)


def describe_alarms_for_metric(view: View, call: Call, request: Members) -> Members:
    """The alarms on one metric."""
    dimensions = alarm_requests.dimensions(request.get("Dimensions"))
    words = metric_words(request["Namespace"], request["MetricName"], dimensions)
    stat = request.get("Statistic") or request.get("ExtendedStatistic")
    alarms = view.find(METRIC_ALARMS, call.scope, "metric", words)
    return {
        "MetricAlarms": [
            alarm_views.metric_alarm(alarm)
            for alarm in alarms
            if (metric := alarm.metric) is not None
            and stat in {None, metric.stat}
            and request.get("Period") in {None, metric.period}
            and request.get("Unit") in {None, metric.unit}
        ]
    }


OPERATIONS: dict[str, Operation] = {
    "DescribeAlarms": Reads(describe_alarms),
    "DescribeAlarmsForMetric": Reads(describe_alarms_for_metric),
}


def _check_alone(request: Members, member: str) -> None:
    others = {key for key, value in request.items() if value is not None} - _PAGING - {member}
    if others:
        raise errors.validation(f"{member} cannot be combined with {', '.join(sorted(others))}.")


def _related(view: View, call: Call, request: Members, member: str) -> Members:
    name = request[member]
    if member == "ParentsOfAlarmName":
        parents = [
            alarm
            for alarm in view.scan(COMPOSITE_ALARMS, call.scope)
            if name in _children(alarm.rule)
        ]
        some, token = alarm_paging.page(request, parents, _name)
        return {
            "CompositeAlarms": [alarm_views.parent(alarm) for alarm in some],
            "MetricAlarms": [],
            "NextToken": token,
        }
    alarm = view.get(COMPOSITE_ALARMS, call.scope, name)
    names = sorted(_children(alarm.rule)) if alarm else []
    children: list[Alarm] = [
        *_named(view, call, names, COMPOSITE_ALARMS),
        *_named(view, call, names, METRIC_ALARMS),
    ]
    shown, token = alarm_paging.page(request, sorted(children, key=_name), _name)
    return {
        "CompositeAlarms": [alarm_views.child(a) for a in shown if isinstance(a, CompositeAlarm)],
        "MetricAlarms": [alarm_views.child(a) for a in shown if isinstance(a, MetricAlarm)],
        "NextToken": token,
    }


def _children(text: str) -> frozenset[str]:
    rule = composite_alarms.parse(text)
    return frozenset() if isinstance(rule, RuleProblem) else composite_alarms.children(rule)


def _found(view: View, call: Call, request: Members, kind: Kind[A]) -> list[A]:
    names, prefix = request.get("AlarmNames"), request.get("AlarmNamePrefix") or ""
    alarms: Iterable[A]
    if names:
        alarms = _named(view, call, names, kind)
    else:
        alarms = view.scan(kind, call.scope, prefix=prefix)
    state, action = request.get("StateValue"), request.get("ActionPrefix")
    return [
        alarm
        for alarm in alarms
        if state in {None, alarm.state} and (action is None or _has_action(alarm, action))
    ]


def _named(view: View, call: Call, names: Sequence[str], kind: Kind[A]) -> list[A]:
    return [alarm for name in dict.fromkeys(names) if (alarm := view.get(kind, call.scope, name))]


def _has_action(alarm: Alarm, prefix: str) -> bool:
    actions = alarm.actions
    arns = (*actions.ok, *actions.alarm, *actions.insufficient_data)
    return any(arn.startswith(prefix) for arn in arns)


def _name(alarm: Alarm) -> str:
    return alarm.name


def _answer(alarms: Sequence[Alarm], token: str | None) -> Members:
    return {
        "CompositeAlarms": [
            alarm_views.composite_alarm(a) for a in alarms if isinstance(a, CompositeAlarm)
        ],
        "MetricAlarms": [alarm_views.metric_alarm(a) for a in alarms if isinstance(a, MetricAlarm)],
        "NextToken": token,
    }
