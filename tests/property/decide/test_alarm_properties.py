"""The evaluation of alarms agrees with a naive telling of the documentation's rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from openecs.decide import alarms, composite_alarms
from openecs.decide.alarms import Point
from openecs.model.alarm_rules import AllOf, AnyOf, Constant, InState, Not, Rule
from openecs.model.alarms import AlarmState, Comparison, MetricAlarm, MetricStat, MissingData
from openecs.model.identity import Scope

END = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


@st.composite
def cases(draw):
    n = draw(st.integers(1, 6))
    m = draw(st.integers(1, n))
    drawn = draw(st.lists(st.sampled_from("0X-"), min_size=n + 2, max_size=n + 2))
    return n, m, "".join(drawn), draw(st.sampled_from(MissingData))


def naive(n: int, m: int, drawn: str, mode: MissingData) -> AlarmState | None:
    real = [mark for mark in drawn if mark != "-"]
    used = real[-n:] if len(real) >= n else real
    if len(used) < n and mode is MissingData.BREACHING:
        used = used + ["X"] * (n - len(used))
    if len(used) < n and mode is MissingData.NOT_BREACHING:
        used = used + ["0"] * (n - len(used))
    if used.count("X") >= m:
        return AlarmState.ALARM
    if len(used) == n:
        return AlarmState.OK
    silent = None if mode is MissingData.IGNORE else AlarmState.INSUFFICIENT_DATA
    if not used:
        return silent
    if "0" not in used and len(drawn) - drawn.index("X") >= m:
        return None if mode is MissingData.IGNORE else AlarmState.ALARM
    return AlarmState.OK


def alarm_of(n: int, m: int, mode: MissingData) -> MetricAlarm:
    return MetricAlarm(
        scope=Scope("1", "r"),
        name="a",
        metric=MetricStat(namespace="A", name="B", period=60, stat="Sum"),
        comparison=Comparison.GREATER,
        threshold=0.5,
        evaluation_periods=n,
        datapoints_to_alarm=m,
        missing_data=mode,
        configured_at=END,
        updated_at=END,
        transitioned_at=END,
    )


@given(cases(), st.integers(0, 59), st.randoms(use_true_random=False))
def test_states_are_those_of_the_rules(case, seconds, chance):
    n, m, drawn, mode = case
    points = [
        Point(END - timedelta(minutes=age), float(mark == "X"), 1.0)
        for age, mark in enumerate(reversed(drawn), start=1)
        if mark != "-"
    ]
    # What is not of the range changes nothing, nor does the order.
    points += [Point(END, 1.0, 1.0), Point(END - timedelta(minutes=n + 3), 1.0, 1.0)]
    chance.shuffle(points)
    told = alarms.evaluate(alarm_of(n, m, mode), points, END + timedelta(seconds=seconds))
    assert (told.state if told else None) is naive(n, m, drawn, mode)


NAMES = st.sampled_from(["a", "b", "c d", 'e"f'])
STATES = st.sampled_from(AlarmState)


def quoted(name: str) -> str:
    escaped = name.replace('"', '\\"')
    return f'"{escaped}"'


LEAVES = st.one_of(
    st.booleans().map(lambda value: (str(value).upper(), Constant(value=value))),
    st.builds(
        lambda name, state: (f"{state}({quoted(name)})", InState(name, state)), NAMES, STATES
    ),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: (f"NOT ({one[0]})", Not(one[1]))),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda some: (
                " AND ".join(f"({text})" for text, _ in some),
                AllOf(tuple(rule for _, rule in some)),
            )
        ),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda some: (
                " OR ".join(f"({text})" for text, _ in some),
                AnyOf(tuple(rule for _, rule in some)),
            )
        ),
    ),
    max_leaves=8,
)


def naive_truth(rule: Rule, states: dict[str, AlarmState]) -> bool:
    match rule:
        case InState(alarm, state):
            return alarm in states and states[alarm] == state
        case Constant(value):
            return value
        case Not(inner):
            return not naive_truth(inner, states)
        case AllOf(rules):
            return False not in [naive_truth(each, states) for each in rules]
        case AnyOf(rules):
            return True in [naive_truth(each, states) for each in rules]
    raise AssertionError(rule)


@given(RULES, st.dictionaries(NAMES, STATES))
def test_rules_are_read_and_judged_as_they_were_written(written, states):
    text, rule = written
    read = composite_alarms.parse(text)
    assert composite_alarms.holds(read, states) is naive_truth(rule, states)
    assert composite_alarms.children(read) == composite_alarms.children(rule)


@given(st.text(alphabet='ALRM()"abNOTD, \\', max_size=30))
def test_any_text_is_a_rule_or_none(text):
    assert composite_alarms.parse(text) is not None
