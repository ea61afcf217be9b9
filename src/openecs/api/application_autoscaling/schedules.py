"""Scheduled actions: other bounds at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from openecs.api.application_autoscaling import errors, paging, references
from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.decide.scaling.schedules import BadSchedule, first_time
from openecs.model.scaling import DIMENSION, NAMESPACE, ScalableTarget, ScheduledAction
from openecs.store.base import Transaction, View
from openecs.store.scaling import SCHEDULED_ACTIONS, part

_NAME = re.compile(r"[^:/|\x00-\x1f]{1,256}")
_MOST = 200


def put_scheduled_action(tx: Transaction, call: Call, request: Members) -> Members:
    """Create a scheduled action, or change what is given of one."""
    target = references.target(tx, call, request)
    name = request["ScheduledActionName"]
    if _NAME.fullmatch(name) is None:
        raise errors.validation(f"Invalid scheduled action name: {name}")
    known = tx.get(SCHEDULED_ACTIONS, call.scope, part(target.resource_id, name))
    action = _with(known or _new(tx, call, target, request), request)
    _check(action)
    try:
        due = first_time(action, call.now)
    except BadSchedule as error:
        raise errors.validation(f"Invalid schedule expression: {action.schedule}") from error
    if due is None and action.schedule.startswith("at("):
        raise errors.validation("Scheduled action time is in the past")
    tx.put(SCHEDULED_ACTIONS, replace(action, next_at=due))
    return {}


def delete_scheduled_action(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove a scheduled action."""
    named, name = references.resource_id(request), request["ScheduledActionName"]
    if tx.get(SCHEDULED_ACTIONS, call.scope, part(named, name)) is None:
        raise errors.no_scheduled_action(named, name)
    tx.delete(SCHEDULED_ACTIONS, call.scope, part(named, name))
    return {}


def describe_scheduled_actions(view: View, call: Call, request: Members) -> Members:
    """The scheduled actions there are, or those of a target or with the names asked for."""
    if request["ServiceNamespace"] != NAMESPACE:
        return {"ScheduledActions": []}
    references.check_namespace(request)
    named, wanted = request.get("ResourceId"), request.get("ScheduledActionNames") or ()
    prefix = part(named, "") if named else ""
    found = [
        action
        for action in view.scan(SCHEDULED_ACTIONS, call.scope, prefix=prefix)
        if not wanted or action.name in wanted
    ]
    shown, token = paging.page(request, found, SCHEDULED_ACTIONS.key)
    return {"ScheduledActions": [_shown(each) for each in shown], "NextToken": token}


OPERATIONS: dict[str, Operation] = {
    "PutScheduledAction": Writes(put_scheduled_action),
    "DeleteScheduledAction": Writes(delete_scheduled_action),
    "DescribeScheduledActions": Reads(describe_scheduled_actions),
}


def _new(tx: Transaction, call: Call, target: ScalableTarget, request: Members) -> ScheduledAction:
    prefix = part(target.resource_id, "")
    if len(tx.scan(SCHEDULED_ACTIONS, call.scope, prefix=prefix, limit=_MOST)) >= _MOST:
        message = f"A scalable target can have at most {_MOST} scheduled actions"
        raise ServiceError("LimitExceededException", message)
    if not request.get("Schedule") or not request.get("ScalableTargetAction"):
        what = "ScalableTargetAction" if request.get("Schedule") else "Schedule"
        raise errors.validation(f"{what} is required to create a scheduled action")
    return ScheduledAction(
        scope=call.scope,
        resource_id=target.resource_id,
        name=request["ScheduledActionName"],
        id=call.ids.uuid(),
        schedule=request["Schedule"],
        created_at=call.now,
    )


def _with(action: ScheduledAction, request: Members) -> ScheduledAction:
    bounds = request.get("ScalableTargetAction")
    return replace(
        action,
        schedule=request.get("Schedule") or action.schedule,
        timezone=request.get("Timezone") or action.timezone,
        start=_second(request.get("StartTime")) or action.start,
        end=_second(request.get("EndTime")) or action.end,
        minimum=bounds.get("MinCapacity") if bounds else action.minimum,
        maximum=bounds.get("MaxCapacity") if bounds else action.maximum,
    )


def _check(action: ScheduledAction) -> None:
    least, most = action.minimum, action.maximum
    if least is None and most is None:
        message = "At least one of MinCapacity and MaxCapacity must be specified"
        raise errors.validation(message)
    if least is not None and most is not None and least > most:
        raise errors.validation("Maximum capacity cannot be less than minimum capacity")
    if (least or 0) < 0 or (most or 0) < 0:
        raise errors.validation("Capacity cannot be negative")
    if action.start and action.end and action.start >= action.end:
        raise errors.validation("End time must be after start time")
    try:
        ZoneInfo(action.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise errors.validation(f"Invalid timezone: {action.timezone}") from error


def _second(when: datetime | None) -> datetime | None:
    return when - timedelta(microseconds=when.microsecond) if when else None


def _shown(action: ScheduledAction) -> Members:
    return {
        "ScheduledActionName": action.name,
        "ScheduledActionARN": action.arn,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": action.resource_id,
        "ScalableDimension": DIMENSION,
        "Schedule": action.schedule,
        "Timezone": action.timezone,
        "StartTime": action.start,
        "EndTime": action.end,
        "ScalableTargetAction": {"MinCapacity": action.minimum, "MaxCapacity": action.maximum},
        "CreationTime": action.created_at,
    }
