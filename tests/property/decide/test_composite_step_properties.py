"""Composite alarms through any story: actions are done once, and never while held back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from openecs.decide import composite_alarms
from openecs.decide.composite_steps import Surroundings, judged, step
from openecs.model.alarms import (
    AlarmActions,
    AlarmState,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MetricStat,
)
from openecs.testing.builders import NOW, SCOPE

RULE = composite_alarms.parse("ALARM(child)")
STATES = st.sampled_from(AlarmState)
#: The state of the child, that of the suppressor, and the seconds until the next look.
STORIES = st.lists(st.tuples(STATES, STATES, st.integers(0, 90)), max_size=20)


def a_metric_alarm(name: str, state: AlarmState) -> MetricAlarm:
    return MetricAlarm(
        scope=SCOPE,
        name=name,
        metric=MetricStat(namespace="A", name="B", period=60, stat="Sum"),
        comparison=Comparison.GREATER,
        threshold=1.0,
        evaluation_periods=1,
        configured_at=NOW,
        state=state,
        updated_at=NOW,
        transitioned_at=NOW,
    )


def around(child: AlarmState, suppressor: AlarmState) -> Surroundings:
    return Surroundings(
        children={"child": a_metric_alarm("child", child)},
        suppressor=a_metric_alarm("s", suppressor),
    )


@given(STORIES, st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_actions_are_done_once_and_never_while_they_are_held_back(story, wait, extend, suppresses):
    alarm = CompositeAlarm(
        scope=SCOPE,
        name="both",
        actions=AlarmActions(ok=("arn:aws:sns:r:1:ok",), alarm=("arn:aws:sns:r:1:alarm",)),
        rule="ALARM(child)",
        suppressor="s" if suppresses else None,
        wait_period=wait,
        extension_period=extend,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
    )
    now, last = NOW, None
    for number, (child, suppressor, seconds) in enumerate([*story, (AlarmState.OK,) * 2 + (0,)]):
        surroundings = around(child, suppressor)
        news = judged(RULE, surroundings)
        taken = step(alarm, news, surroundings, f"id-{number}", now, publishes=False)
        alarm = taken.alarm
        assert alarm.state is news.state
        assert taken.wake is None or taken.wake > now
        for due in taken.due:
            assert due.action.endswith(alarm.state.lower())
            assert due.action != last
            last = due.action
        if suppresses and suppressor is AlarmState.ALARM:
            assert not taken.due
        # Taken again at the same moment nothing more happens.
        again = step(alarm, news, surroundings, "again", now, publishes=False)
        assert (again.alarm, again.items, again.due) == (alarm, (), ())
        now += timedelta(seconds=seconds)
    now += timedelta(seconds=wait + extend)
    quiet = around(AlarmState.OK, AlarmState.OK)
    done = step(alarm, None, quiet, "end", now, publishes=False)
    assert done.alarm.acted_on is done.alarm.state
    assert replace(done.alarm, suppressed_by=None) == done.alarm
