"""Rules of composite alarms, and what holds back their actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.decide import composite_alarms as composite
from openecs.model.alarm_rules import AllOf, AnyOf, AtLeast, Constant, InState, Not
from openecs.model.alarms import AlarmState, CompositeAlarm, Suppression
from openecs.testing.builders import NOW, SCOPE

A, B, C = (InState(name, AlarmState.ALARM) for name in "abc")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("ALARM(a)", A),
        ('ALARM("a")', A),
        ('ALARM("a b (c)")', InState("a b (c)", AlarmState.ALARM)),
        (r'OK("a\"b")', InState('a"b', AlarmState.OK)),
        ("OK(a)", InState("a", AlarmState.OK)),
        ("INSUFFICIENT_DATA(a)", InState("a", AlarmState.INSUFFICIENT_DATA)),
        ("ALARM(TRUE)", InState("TRUE", AlarmState.ALARM)),
        ("TRUE", Constant(value=True)),
        ("NOT FALSE", Not(Constant(value=False))),
        ("ALARM(a) OR ALARM(b) AND ALARM(c)", AnyOf((A, AllOf((B, C))))),
        ("(ALARM(a) OR ALARM(b)) AND NOT ALARM(c)", AllOf((AnyOf((A, B)), Not(C)))),
        ("NOT (ALARM(a)\n AND ALARM(b))", Not(AllOf((A, B)))),
        ("AT_LEAST(2, ALARM, (a, b, c))", AtLeast(2, False, (A, B, C))),
        ("AT_LEAST(50%, NOT ALARM, (a, b))", AtLeast(50, True, (Not(A), Not(B)))),
        (
            "ALARM(arn:aws:cloudwatch:r:1:alarm:a)",
            InState("arn:aws:cloudwatch:r:1:alarm:a", AlarmState.ALARM),
        ),
    ],
)
def test_rules(text, rule):
    assert composite.parse(text) == rule


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ALARM(a) ALARM(b)", "unexpected 'ALARM(b)' at character 10"),
        ("ALARM(a) AND", "it ends too early"),
        ("", "it ends too early"),
        ("alarm(a)", "unexpected 'alarm(a)' at character 1"),
        ("NOT (" * 101 + "TRUE" + ")" * 101, "more than 100 parentheses within one another"),
        ("ALARM()", "unexpected ')' at character 7"),
    ],
)
def test_what_is_no_rule(text, problem):
    assert composite.parse(text) == composite.RuleProblem(problem)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALARM(a)", True),
        ("ALARM(arn:aws:cloudwatch:r:1:alarm:a)", True),
        ("OK(a)", False),
        ("ALARM(a) AND OK(b)", True),
        ("ALARM(gone) OR OK(gone)", False),
        ("NOT ALARM(gone)", True),
        ("INSUFFICIENT_DATA(c)", True),
        ("AT_LEAST(2, ALARM, (a, b, c))", False),
        ("AT_LEAST(2, NOT ALARM, (a, b, c))", True),
        ("AT_LEAST(33%, ALARM, (a, b, c))", True),
        ("AT_LEAST(34%, ALARM, (a, b, c))", False),
    ],
)
def test_whether_rules_hold(text, expected):
    states = {"a": AlarmState.ALARM, "b": AlarmState.OK, "c": AlarmState.INSUFFICIENT_DATA}
    assert composite.holds(composite.parse(text), states) is expected


def test_the_alarms_a_rule_looks_at():
    rule = composite.parse("ALARM(a) AND NOT (OK(arn:aws:cloudwatch:r:1:alarm:b) OR TRUE)")
    assert composite.children(rule) == {"a", "b"}


def test_cycles():
    rules = {"b": composite.parse("ALARM(c)"), "c": composite.parse("OK(a) OR ALARM(b)")}
    assert composite.is_cyclic("a", composite.parse("ALARM(a)"), rules.get)
    assert composite.is_cyclic("a", composite.parse("ALARM(b)"), rules.get)
    assert not composite.is_cyclic("d", composite.parse("ALARM(b)"), rules.get)


def an_alarm(**members) -> CompositeAlarm:
    return CompositeAlarm(
        scope=SCOPE,
        name="x",
        rule="ALARM(a)",
        suppressor="s",
        wait_period=60,
        extension_period=30,
        state=AlarmState.ALARM,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
        **members,
    )


def test_suppression():
    def by(alarm, suppressor, seconds):
        held = composite.suppression(alarm, suppressor, NOW + timedelta(seconds=seconds))
        return held and (held.by, held.until and (held.until - NOW).total_seconds())

    alarm = an_alarm()
    assert by(alarm, AlarmState.OK, 59) == (Suppression.WAIT_PERIOD, 60)
    assert by(alarm, AlarmState.OK, 60) is None
    assert by(alarm, AlarmState.ALARM, 100) == (Suppression.ALARM, None)
    left = replace(alarm, suppressor_left_at=NOW + timedelta(seconds=100))
    assert by(left, AlarmState.OK, 129) == (Suppression.EXTENSION_PERIOD, 130)
    assert by(left, AlarmState.INSUFFICIENT_DATA, 130) is None
    assert by(replace(alarm, state=AlarmState.OK), AlarmState.OK, 1) is None
    assert by(replace(alarm, suppressor=None), AlarmState.ALARM, 1) is None
