"""What a composite alarm does next: its state, and its actions or what holds them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from openecs.decide.alarm_messages import stamp
from openecs.decide.alarm_transitions import News, actions_of, transition
from openecs.decide.composite_alarms import children, holds, suppression
from openecs.model.alarm_rules import Rule
from openecs.model.alarms import (
    AlarmState,
    CompositeAlarm,
    DueAction,
    HistoryItem,
    MetricAlarm,
)

Alarm = MetricAlarm | CompositeAlarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The alarms a composite alarm looks at, by name: those of its rule, and its suppressor."""

    children: Mapping[str, Alarm]
    suppressor: Alarm | None


@dataclass(frozen=True, slots=True)
class Step:
    """The alarm after the step, what is to be written with it, and when to look again."""

    alarm: CompositeAlarm
    items: tuple[HistoryItem, ...]
    due: tuple[DueAction, ...]
    wake: datetime | None


def judged(rule: Rule, around: Surroundings) -> News:
    """What the rule tells: ALARM where it holds, else OK."""
    states = {name: alarm.state for name, alarm in around.children.items()}
    state = AlarmState.ALARM if holds(rule, states) else AlarmState.OK
    named = [around.children[name] for name in children(rule) if name in around.children]
    if not named:
        return News(state, f"The alarm rule is {'TRUE' if state is AlarmState.ALARM else 'FALSE'}")
    latest = max(named, key=lambda alarm: (alarm.transitioned_at, alarm.name))
    at = latest.transitioned_at.astimezone(UTC)
    reason = f"{latest.arn} transitioned to {latest.state} at {at:%A %d %B, %Y %H:%M:%S} UTC"
    return News(state, reason, _triggering(latest))


def step(
    alarm: CompositeAlarm,
    news: News | None,
    around: Surroundings,
    fresh: str,
    now: datetime,
    *,
    publishes: bool,
) -> Step:
    """The alarm in the state of ``news``, if any, with the actions that nothing holds back."""
    alarm = _with_suppressor(alarm, around, now)
    items: tuple[HistoryItem, ...] = ()
    due: tuple[DueAction, ...] = ()
    if news is not None and news.state is not alarm.state:
        made = transition(alarm, news, fresh, now, publishes=publishes)
        alarm, items, due = made.alarm, made.items, made.due
    if alarm.state is alarm.acted_on:
        return Step(replace(alarm, suppressed_by=None, suppressed_reason=None), items, due, None)
    suppressor = around.suppressor.state if around.suppressor else None
    held = suppression(alarm, suppressor, now)
    if held is not None:
        held_back = replace(alarm, suppressed_by=held.by, suppressed_reason=held.reason)
        return Step(held_back, items, due, held.until)
    due += tuple(actions_of(alarm, alarm.acted_on, f"{fresh}-act", now))
    done = replace(alarm, acted_on=alarm.state, suppressed_by=None, suppressed_reason=None)
    return Step(done, items, due, None)


def _with_suppressor(alarm: CompositeAlarm, around: Surroundings, now: datetime) -> CompositeAlarm:
    is_in_alarm = around.suppressor is not None and around.suppressor.state is AlarmState.ALARM
    if is_in_alarm is alarm.is_suppressor_in_alarm:
        return alarm
    left_at = None if is_in_alarm else now
    return replace(alarm, is_suppressor_in_alarm=is_in_alarm, suppressor_left_at=left_at)


def _triggering(child: Alarm) -> str:
    told: dict[str, Any] = {
        "arn": child.arn,
        "state": {"value": child.state, "timestamp": stamp(child.transitioned_at)},
    }
    return json.dumps({"triggeringAlarms": [told]}, separators=(",", ":"))
