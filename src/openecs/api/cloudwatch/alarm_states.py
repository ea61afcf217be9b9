"""SetAlarmState, EnableAlarmActions, DisableAlarmActions. CloudWatch API Reference."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TypeVar

from openecs.api.base import Call, Members, Operation, Writes
from openecs.api.cloudwatch import alarm_errors as errors
from openecs.decide.alarm_transitions import News, configured, transition
from openecs.model.alarms import AlarmState, CompositeAlarm, MetricAlarm
from openecs.store.alarms import ALARM_HISTORY, COMPOSITE_ALARMS, DUE_ACTIONS, METRIC_ALARMS
from openecs.store.base import Kind, Transaction

A = TypeVar("A", bound=MetricAlarm | CompositeAlarm)


def set_alarm_state(tx: Transaction, call: Call, request: Members) -> Members:
    """Put an alarm into a state, with the actions of it, until it is judged next."""
    name, data = request["AlarmName"], request.get("StateReasonData")
    _check_json(data)
    news = News(AlarmState(request["StateValue"]), request["StateReason"], data)
    found = _set(tx, call, METRIC_ALARMS, name, news)
    if not found and not _set(tx, call, COMPOSITE_ALARMS, name, news):
        raise errors.not_found(name)
    return {}


def switch_actions(tx: Transaction, call: Call, request: Members, *, enabled: bool) -> Members:
    """Let the actions of alarms be done, or not; names of no alarm do not matter."""
    for name in request["AlarmNames"]:
        _switch(tx, call, METRIC_ALARMS, name, enabled=enabled)
        _switch(tx, call, COMPOSITE_ALARMS, name, enabled=enabled)
    return {}


OPERATIONS: dict[str, Operation] = {
    "SetAlarmState": Writes(set_alarm_state),
    "EnableAlarmActions": Writes(partial(switch_actions, enabled=True)),
    "DisableAlarmActions": Writes(partial(switch_actions, enabled=False)),
}


def _check_json(data: str | None) -> None:
    try:
        json.loads(data or "{}")
    except (ValueError, RecursionError) as error:
        raise errors.invalid_format("StateReasonData must be valid JSON.") from error


def _set(tx: Transaction, call: Call, kind: Kind[A], name: str, news: News) -> bool:
    alarm = tx.get(kind, call.scope, name)
    if alarm is None:
        return False
    publishes = bool(call.settings.alarm_webhook_url)
    made = transition(alarm, news, call.ids.uuid(), call.now, publishes=publishes)
    tx.put(kind, made.alarm)
    for item in made.items:
        tx.add(ALARM_HISTORY, item)
    for due in made.due:
        tx.add(DUE_ACTIONS, due)
    return True


def _switch(tx: Transaction, call: Call, kind: Kind[A], name: str, *, enabled: bool) -> None:
    alarm = tx.get(kind, call.scope, name)
    if alarm is None or alarm.actions.enabled is enabled:
        return
    actions = replace(alarm.actions, enabled=enabled)
    changed = replace(alarm, actions=actions, configured_at=call.now)
    tx.put(kind, changed)
    tx.add(ALARM_HISTORY, configured(changed, "Update", call.ids.uuid(), call.now))
