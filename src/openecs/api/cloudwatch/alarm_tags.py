"""TagResource, UntagResource, ListTagsForResource: alarms, dashboards. CloudWatch API Reference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.cloudwatch import alarm_errors as errors
from openecs.api.cloudwatch import alarm_requests
from openecs.model.identity import parse_arn
from openecs.store.alarms import COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import Kind, Transaction, View
from openecs.store.dashboards import DASHBOARDS, dashboard_scope


def tag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags to a resource, in place of those of the same key."""
    kind, alarm = _found(tx, call, request["ResourceARN"])
    tags = alarm_requests.tags(request["Tags"], alarm.tags)
    tx.put(kind, replace(alarm, tags=tags))
    return {}


def untag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove the tags of some keys from a resource."""
    kind, alarm = _found(tx, call, request["ResourceARN"])
    kept = {k: v for k, v in alarm.tags.items() if k not in request["TagKeys"]}
    tx.put(kind, replace(alarm, tags=kept))
    return {}


def list_tags_for_resource(view: View, call: Call, request: Members) -> Members:
    """The tags of a resource."""
    _, alarm = _found(view, call, request["ResourceARN"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in alarm.tags.items()]}


OPERATIONS: dict[str, Operation] = {
    "TagResource": Writes(tag_resource),
    "UntagResource": Writes(untag_resource),
    "ListTagsForResource": Reads(list_tags_for_resource),
}


def _found(view: View, call: Call, arn: str) -> tuple[Kind[Any], Any]:
    parsed = parse_arn(arn)
    if parsed is None or parsed.service != "cloudwatch":
        raise errors.invalid_parameter(f"Invalid ARN: {arn}")
    if parsed.scope == call.scope and parsed.resource.startswith("alarm:"):
        name = parsed.resource.removeprefix("alarm:")
        kinds: tuple[Kind[Any], ...] = (METRIC_ALARMS, COMPOSITE_ALARMS)
        for kind in kinds:
            alarm = view.get(kind, call.scope, name)
            if alarm is not None:
                return kind, alarm
    where = dashboard_scope(call.scope.account)
    if parsed.scope == where and parsed.resource.startswith("dashboard/"):
        found = view.get(DASHBOARDS, where, parsed.resource.removeprefix("dashboard/"))
        if found is not None:
            return DASHBOARDS, found
    raise errors.arn_not_found(arn)
