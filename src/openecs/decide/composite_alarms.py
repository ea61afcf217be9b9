"""Composite alarms: reading and judging their rules, and when their actions are suppressed.

API Reference, PutCompositeAlarm; CloudWatch User Guide, "Combining alarms" and "Alarm suppression".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from openecs.model.alarm_rules import (
    AllOf,
    AnyOf,
    AtLeast,
    Constant,
    InState,
    Not,
    Rule,
    RuleProblem,
)
from openecs.model.alarms import AlarmState, CompositeAlarm, Suppression
from openecs.model.identity import parse_arn

#: So many alarms may a rule look at.
MOST_CHILDREN = 100


@dataclass(frozen=True, slots=True)
class Suppressed:
    """By what the actions of an alarm are held back, and until when if nothing else happens."""

    by: Suppression
    until: datetime | None
    reason: str


@lru_cache(maxsize=4096)
def parse(text: str) -> Rule | RuleProblem:
    """The rule a text spells, or where it stops making sense.

    ``NOT`` binds closest, then ``AND``, then ``OR``.
    """
    # The parser is imported late: only rules need it.
    from openecs.decide import composite_grammar

    return composite_grammar.read(text)


def holds(rule: Rule, states: Mapping[str, AlarmState]) -> bool:
    """Whether a rule holds with alarms, by name, in these states; others are in none."""
    match rule:
        case InState():
            return states.get(alarm_name(rule.alarm)) is rule.state
        case Constant(value):
            return value
        case Not(inner):
            return not holds(inner, states)
        case AllOf(rules):
            return all(holds(each, states) for each in rules)
        case AnyOf(rules):
            return any(holds(each, states) for each in rules)
        case AtLeast(count, is_share, rules):
            met = sum(holds(each, states) for each in rules)
            return met * 100 >= count * len(rules) if is_share else met >= count


def children(rule: Rule) -> frozenset[str]:
    """The names of the alarms a rule looks at."""
    return frozenset(alarm_name(each.alarm) for each in _terms(rule))


def alarm_name(reference: str) -> str:
    """The name of an alarm that is named by it or by its ARN."""
    arn = parse_arn(reference)
    return arn.resource.removeprefix("alarm:") if arn else reference


def is_cyclic(name: str, rule: Rule, rule_of: Callable[[str], Rule | None]) -> bool:
    """Whether an alarm with that rule would depend on itself.

    ``rule_of`` tells the rules of the composite alarms there are, by name.
    """
    waiting, seen = list(children(rule)), set[str]()
    while waiting:
        child = waiting.pop()
        if child == name:
            return True
        if child in seen:
            continue
        seen.add(child)
        inner = rule_of(child)
        waiting += children(inner) if inner else ()
    return False


def suppression(
    alarm: CompositeAlarm, suppressor: AlarmState | None, now: datetime
) -> Suppressed | None:
    """What holds back the actions of an alarm; ``suppressor`` is its suppressor's state.

    An alarm that went into ALARM waits for its suppressor to do so, too; one whose suppressor has
    left ALARM waits a while longer.
    """
    if alarm.suppressor is None:
        return None
    if suppressor is AlarmState.ALARM:
        return Suppressed(Suppression.ALARM, None, f"{alarm.suppressor} is in ALARM state")
    if alarm.suppressor_left_at is not None:
        until = alarm.suppressor_left_at + timedelta(seconds=alarm.extension_period or 0)
        if now < until:
            why = f"{alarm.suppressor} left ALARM state less than {alarm.extension_period} s ago"
            return Suppressed(Suppression.EXTENSION_PERIOD, until, why)
    until = alarm.transitioned_at + timedelta(seconds=alarm.wait_period or 0)
    if alarm.state is AlarmState.ALARM and now < until:
        why = f"{alarm.suppressor} has {alarm.wait_period} s to go into ALARM state"
        return Suppressed(Suppression.WAIT_PERIOD, until, why)
    return None


def _terms(rule: Rule) -> Iterator[InState]:
    match rule:
        case InState():
            yield rule
        case Constant():
            return
        case Not(inner):
            yield from _terms(inner)
        case AllOf(rules) | AnyOf(rules) | AtLeast(_, _, rules):
            for each in rules:
                yield from _terms(each)
