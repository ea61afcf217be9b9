"""What operations on alarms ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for Amazon CloudWatch".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openecs.api.access import Context, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.model.alarms import SERVICE
from openecs.model.identity import parse_arn
from openecs.store.alarms import COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import View
from openecs.store.dashboards import DASHBOARDS, dashboard_scope

_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
#: Operations, and the member that names an alarm or several; without one, all alarms are meant.
_ON_ALARMS = {
    "PutMetricAlarm": "AlarmName",
    "PutCompositeAlarm": "AlarmName",
    "SetAlarmState": "AlarmName",
    "DescribeAlarmHistory": "AlarmName",
    "DescribeAlarms": "AlarmNames",
    "DeleteAlarms": "AlarmNames",
    "EnableAlarmActions": "AlarmNames",
    "DisableAlarmActions": "AlarmNames",
}
_ON_ARNS = ("TagResource", "UntagResource", "ListTagsForResource")


def _on_alarms(operation: str, member: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        given = request.get(member) or "*"
        for name in [given] if isinstance(given, str) else given:
            yield _asked(view, call, operation, name, _told(request))

    return asks


def _on_arn(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        arn = request["ResourceARN"]
        parsed = parse_arn(arn)
        context = {**_told(request), **_tags_of(view, call, parsed.resource if parsed else "")}
        if keys := request.get("TagKeys"):
            context["aws:tagkeys"] = tuple(keys)
        yield Asked(action=f"{SERVICE}:{operation}", resource=arn, context=context)

    return asks


def _for_metric(_: View, __: Call, ___: Members) -> Iterator[Asked]:
    yield Asked(action=f"{SERVICE}:DescribeAlarmsForMetric", resource="*")


ACCESS: Mapping[str, Access] = {
    **{operation: _on_alarms(operation, member) for operation, member in _ON_ALARMS.items()},
    **{operation: _on_arn(operation) for operation in _ON_ARNS},
    "DescribeAlarmsForMetric": _for_metric,
}


def _asked(view: View, call: Call, operation: str, name: str, told: Context) -> Asked:
    return Asked(
        action=f"{SERVICE}:{operation}",
        resource=call.scope.arn(SERVICE, f"alarm:{name}"),
        context={**told, **_tags(view, call, name)},
    )


def _told(request: Members) -> dict[str, tuple[str, ...]]:
    """The condition keys that a request tells: its tags and the actions of the alarm."""
    context = dict(
        request_tags((t["Key"], t.get("Value") or "") for t in request.get("Tags") or ())
    )
    actions = tuple(arn for member in _ACTIONS for arn in request.get(member) or ())
    return {**context, "cloudwatch:alarmactions": actions} if actions else context


def _tags_of(view: View, call: Call, resource: str) -> Context:
    """The tags of what an ARN names."""
    kind, _, name = resource.partition("/")
    if kind != "dashboard":
        return _tags(view, call, resource.removeprefix("alarm:"))
    known = view.get(DASHBOARDS, dashboard_scope(call.scope.account), name)
    return resource_tags(known.tags) if known else {}


def _tags(view: View, call: Call, name: str) -> Context:
    alarm = view.get(METRIC_ALARMS, call.scope, name) or view.get(
        COMPOSITE_ALARMS, call.scope, name
    )
    return resource_tags(alarm.tags) if alarm else {}
