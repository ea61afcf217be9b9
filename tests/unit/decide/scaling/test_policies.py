"""What the policies of a target come to, together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.decide.scaling.policies import Seen, decide
from openecs.model.alarms import AlarmActions, AlarmState, Comparison, MetricAlarm, MetricStat
from openecs.model.scaling import (
    AdjustmentType,
    NotScaled,
    ScalableTarget,
    ScaledOut,
    ScalingPolicy,
    Step,
    StepScaling,
    Suspended,
    TargetTracking,
)
from openecs.testing.builders import NOW, SCOPE

RESOURCE = "service/default/web"
TARGET = ScalableTarget(
    scope=SCOPE, resource_id=RESOURCE, id="t", minimum=1, maximum=20, created_at=NOW
)


def tracking(name="keep", **changes):
    values = {"target": 50.0} | changes
    return ScalingPolicy(
        scope=SCOPE,
        resource_id=RESOURCE,
        name=name,
        id=name,
        creator="c",
        tracking=TargetTracking(**values),
        alarms=(f"{name}-high", f"{name}-low"),
        created_at=NOW,
    )


def adding(count, cooldown=300):
    step = StepScaling(
        adjustment_type=AdjustmentType.CHANGE, steps=(Step(adjustment=count),), cooldown=cooldown
    )
    return replace(tracking(f"step{count}"), tracking=None, step=step, alarms=())


def raised(policy, name, stat="Average", period=60):
    return MetricAlarm(
        scope=SCOPE,
        name=name,
        actions=AlarmActions(alarm=(policy.action_arn,)),
        metric=MetricStat(namespace="N", name="M", period=period, stat=stat),
        comparison=Comparison.GREATER,
        threshold=50,
        evaluation_periods=1,
        state=AlarmState.ALARM,
        configured_at=NOW,
        updated_at=NOW,
        transitioned_at=NOW,
    )


def seen(policies, raised_by, current=4, target=TARGET, **changes):
    """``raised_by``: the value of each alarm in ALARM, by its name."""
    alarms = []
    for name in raised_by:
        owner = next(p for p in policies if name.startswith(p.name))
        alarms.append(raised(owner, name))
    values = {"is_deploying": False, "now": NOW} | changes
    return Seen(
        target=target,
        current=current,
        policies=policies,
        alarms=alarms,
        values=raised_by,
        **values,
    )


def test_scales_out_in_proportion_and_within_bounds():
    assert decide(seen([tracking()], {"keep-high": 100})).capacity == 8
    assert decide(seen([tracking()], {"keep-high": 900})).capacity == 20


def test_at_the_maximum_nothing_is_scaled_and_it_is_told():
    decided = decide(seen([tracking()], {"keep-high": 100}, current=20))
    assert decided.capacity is None
    assert decided.not_scaled is NotScaled.AT_MAX


def test_an_alarm_is_acted_on_once_a_minute_while_it_stays():
    acted = decide(seen([tracking(out_cooldown=0)], {"keep-high": 100})).policies
    again = seen(acted, {"keep-high": 100}, current=8)
    soon, later = NOW + timedelta(seconds=59), NOW + timedelta(seconds=60)
    assert decide(replace(again, now=soon)).capacity is None
    assert decide(replace(again, now=later)).capacity == 16


def test_what_was_added_counts_while_it_cools_down():
    policy = replace(tracking(), scaled_out=ScaledOut(at=NOW, base=4))
    now = NOW + timedelta(seconds=60)
    assert decide(seen([policy], {"keep-high": 100}, current=8, now=now)).capacity is None
    assert decide(seen([policy], {"keep-high": 150}, current=8, now=now)).capacity == 12
    policy = replace(adding(3), scaled_out=ScaledOut(at=NOW, base=4))
    assert decide(seen([policy], {"step3": 60}, current=6, now=now)).capacity == 7


def test_scales_in_only_when_every_target_tracking_policy_wants_it():
    one, other = tracking("one"), tracking("other")
    assert decide(seen([one, other], {"one-low": 10})).capacity is None
    assert decide(seen([one, other], {"one-low": 10, "other-low": 30})).capacity == 3
    lazy = tracking("other", scales_in=False)
    assert decide(seen([one, lazy], {"one-low": 10})).capacity == 1


def test_scale_in_waits_for_its_cooldown_and_a_scale_out_ends_it():
    policy = replace(tracking(), scaled_in_at=NOW)
    now = NOW + timedelta(seconds=299)
    assert decide(seen([policy], {"keep-low": 10}, now=now)).capacity is None
    later = NOW + timedelta(seconds=300)
    assert decide(seen([policy], {"keep-low": 10}, now=later)).capacity == 1
    out = decide(seen([policy], {"keep-high": 100}, now=now))
    assert (out.capacity, out.policies[0].scaled_in_at) == (8, None)


def test_no_scale_in_during_a_deployment_but_scale_out():
    low = decide(seen([tracking()], {"keep-low": 10}, is_deploying=True))
    assert (low.capacity, low.not_scaled) == (None, NotScaled.UNSCALABLE)
    assert decide(seen([tracking()], {"keep-high": 100}, is_deploying=True)).capacity == 8


def test_one_task_fewer_that_would_breach_again_is_not_taken():
    decided = decide(seen([tracking()], {"keep-low": 44}))
    assert (decided.capacity, decided.not_scaled) == (None, NotScaled.FLAPPING)


def test_what_is_suspended_is_not_done():
    target = replace(TARGET, suspended=Suspended(scale_in=True))
    assert decide(seen([tracking()], {"keep-low": 10}, target=target)).capacity is None
    target = replace(TARGET, suspended=Suspended(scale_out=True))
    assert decide(seen([tracking()], {"keep-high": 100}, target=target)).capacity is None


def test_counts_are_per_minute_however_short_the_period():
    policy = tracking(target=600.0)
    at = seen([policy], {"keep-high": 200})
    alarm = raised(policy, "keep-high", stat="Sum", period=10)
    assert decide(replace(at, alarms=[alarm])).capacity == 8


@settings(max_examples=60)
@given(
    st.integers(0, 40),
    st.dictionaries(
        st.sampled_from(["one-high", "one-low", "other-high", "other-low", "step2", "step-3"]),
        st.floats(0, 500),
    ),
    st.booleans(),
)
def test_bounds_hold_and_nothing_is_scaled_in_while_one_wants_more(current, values, deploying):
    policies = [tracking("one"), tracking("other"), adding(2), adding(-3)]
    decided = decide(seen(policies, values, current=current, is_deploying=deploying))
    if decided.capacity is None:
        return
    assert TARGET.minimum <= decided.capacity <= TARGET.maximum
    if current <= TARGET.maximum and values.keys() & {"one-high", "other-high", "step2"}:
        assert decided.capacity > current


@settings(max_examples=60)
@given(st.integers(1, 20), st.floats(0, 500), st.floats(0, 500), st.integers(0, 400))
def test_a_higher_metric_never_leads_to_less(current, one, other, since):
    policy = replace(tracking(), scaled_out=ScaledOut(at=NOW, base=max(current - 2, 1)))
    now = NOW + timedelta(seconds=since)
    counts = [
        decide(seen([policy], {"keep-high": v}, current=current, now=now)).capacity or current
        for v in sorted((one, other))
    ]
    assert counts == sorted(counts)
