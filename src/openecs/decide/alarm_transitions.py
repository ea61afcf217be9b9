"""What comes of an alarm that goes from one state to another: its history and its actions.

API Reference, AlarmHistoryItem; CloudWatch User Guide, "Alarm events and EventBridge".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from openecs.decide import alarm_messages
from openecs.model.alarms import (
    AlarmActions,
    AlarmState,
    AlarmType,
    CompositeAlarm,
    DueAction,
    HistoryItem,
    HistoryType,
    MetricAlarm,
)

A = TypeVar("A", bound=MetricAlarm | CompositeAlarm)

#: What a DueAction names that is no action of the alarm's, but the event of its change.
EVENT = "events"
#: Scaling policies look at their alarms themselves, each minute.
_SCALING = "arn:aws:autoscaling:"
_LONGEST_SUMMARY = 255
_LONGEST_DATA = 4095


@dataclass(frozen=True, slots=True)
class News:
    """A state an alarm comes to, and why; ``reason_data`` is JSON."""

    state: AlarmState
    reason: str
    reason_data: str | None = None


@dataclass(frozen=True, slots=True)
class Transition(Generic[A]):
    """The alarm in its new state, and what is to be written with it."""

    alarm: A
    items: tuple[HistoryItem, ...]
    due: tuple[DueAction, ...]


def transition(
    before: A, news: News, fresh: str, now: datetime, *, publishes: bool
) -> Transition[A]:
    """The alarm in its new state, with its history and the actions of that state.

    ``fresh`` is an id nobody has had. ``publishes``: somebody hears the events of alarms. In the
    state it is in already an alarm has a new reason, and nothing else happens. The actions of a
    composite alarm are told by ``actions_of``, when nothing holds them back.
    """
    after = replace(
        before,
        state=news.state,
        reason=news.reason,
        reason_data=news.reason_data,
        updated_at=now,
    )
    if news.state is before.state:
        return Transition(after, (), ())
    after = replace(after, transitioned_at=now)
    item = history_item(
        after,
        HistoryType.STATE,
        f"Alarm updated from {before.state} to {after.state}",
        _state_data(before, after),
        fresh=fresh,
        now=now,
    )
    due: list[DueAction] = []
    if publishes:
        event = alarm_messages.event(before, after, fresh)
        due.append(_due(after, EVENT, event, f"{fresh}-event", now))
    if isinstance(after, MetricAlarm):
        due += actions_of(after, before.state, fresh, now)
    return Transition(after, (item,), tuple(due))


def actions_of(alarm: A, came_from: AlarmState, fresh: str, now: datetime) -> list[DueAction]:
    """The actions of the state an alarm is in, but those that scale."""
    actions = alarm.actions
    if not actions.enabled:
        return []
    arns = [arn for arn in _of_state(actions, alarm.state) if not arn.startswith(_SCALING)]
    message = alarm_messages.message(alarm, came_from)
    return [_due(alarm, arn, message, f"{fresh}-{n}", now) for n, arn in enumerate(arns)]


def configured(alarm: A, what: str, fresh: str, now: datetime) -> HistoryItem:
    """The item that tells that an alarm was made, changed or removed.

    ``what`` is ``Create``, ``Update`` or ``Delete``.
    """
    word = f"{what.rstrip('e')}ed"
    told = {
        "version": "1.0",
        "type": what,
        f"{word.lower()}Alarm": alarm_messages.configuration(alarm),
    }
    summary = f'Alarm "{alarm.name}" {word.lower()}'
    return history_item(
        alarm, HistoryType.CONFIGURATION, summary, _fitting(told), fresh=fresh, now=now
    )


def performed(due: DueAction, error: str | None, now: datetime) -> HistoryItem:
    """The item that tells that an action was done, or that it was given up."""
    told = {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": int(due.at.timestamp() * 1000),
        "notificationResource": due.action,
        "publishedMessage": None if error else due.body,
        "error": error,
    }
    summary = f"Successfully executed action {due.action}"
    if error:
        summary = f'Failed to execute action {due.action}. Received error: "{error}"'
    return HistoryItem(
        scope=due.scope,
        alarm=due.alarm,
        alarm_type=due.alarm_type,
        id=f"{due.id}-done",
        at=now,
        type=HistoryType.ACTION,
        summary=summary[:_LONGEST_SUMMARY],
        data=_fitting(told, "publishedMessage"),
    )


def history_item(
    alarm: A, kind: HistoryType, summary: str, data: str, *, fresh: str, now: datetime
) -> HistoryItem:
    """Something that happened to an alarm."""
    return HistoryItem(
        scope=alarm.scope,
        alarm=alarm.name,
        alarm_type=type_of(alarm),
        id=fresh,
        at=now,
        type=kind,
        summary=summary[:_LONGEST_SUMMARY],
        data=data,
    )


def type_of(alarm: A) -> AlarmType:
    """What the alarm goes by."""
    return AlarmType.METRIC if isinstance(alarm, MetricAlarm) else AlarmType.COMPOSITE


def _of_state(actions: AlarmActions, state: AlarmState) -> tuple[str, ...]:
    match state:
        case AlarmState.OK:
            return actions.ok
        case AlarmState.ALARM:
            return actions.alarm
        case AlarmState.INSUFFICIENT_DATA:
            return actions.insufficient_data


def _due(alarm: A, action: str, body: str, key: str, now: datetime) -> DueAction:
    return DueAction(
        scope=alarm.scope,
        alarm=alarm.name,
        alarm_type=type_of(alarm),
        id=key,
        at=now,
        action=action,
        body=body,
        due_at=now,
    )


def _state_data(before: A, after: A) -> str:
    states = {"oldState": _told(before), "newState": _told(after)}
    whole = json.dumps({"version": "1.0", **states}, separators=(",", ":"))
    if len(whole) <= _LONGEST_DATA:
        return whole
    for state in states.values():
        state.pop("stateReasonData", None)
    return json.dumps({"version": "1.0", **states}, separators=(",", ":"))


def _told(alarm: A) -> dict[str, object]:
    told: dict[str, object] = {"stateValue": alarm.state, "stateReason": alarm.reason}
    if alarm.reason_data:
        told["stateReasonData"] = json.loads(alarm.reason_data)
    return told


def _fitting(told: Mapping[str, object], *spare: str) -> str:
    """The JSON of what is told; what can be spared is left out where an item could not hold it."""
    whole = json.dumps(told, separators=(",", ":"))
    if len(whole) <= _LONGEST_DATA:
        return whole
    kept = {key: value for key, value in told.items() if key in {"version", "type"}}
    if spare:
        kept = {key: value for key, value in told.items() if key not in spare}
    return json.dumps(kept, separators=(",", ":"))[:_LONGEST_DATA]
