"""The capacity that one policy computes: the examples of Amazon's documentation, and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.scaling.capacity import stepped, tracked
from openecs.model.scaling import AdjustmentType, Step, StepScaling

OUT = StepScaling(
    adjustment_type=AdjustmentType.PERCENT,
    steps=(
        Step(lower=0, upper=10, adjustment=0),
        Step(lower=10, upper=20, adjustment=10),
        Step(lower=20, adjustment=30),
    ),
)
IN = StepScaling(
    adjustment_type=AdjustmentType.PERCENT,
    steps=(
        Step(lower=-10, upper=0, adjustment=0),
        Step(lower=-20, upper=-10, adjustment=-10),
        Step(upper=-20, adjustment=-30),
    ),
)
values = st.floats(0, 1000, allow_nan=False)


@pytest.mark.parametrize(
    ("policy", "current", "value", "wanted"),
    [
        (OUT, 10, 59, 10),
        (OUT, 10, 60, 11),
        (OUT, 11, 70, 14),
        (IN, 14, 40, 13),
        (IN, 13, 30, 10),
        (IN, 10, 41, 10),
    ],
)
def test_the_worked_example_of_step_scaling(policy, current, value, wanted):
    assert stepped(policy, current, value, 50) == wanted


@pytest.mark.parametrize(
    ("percent", "current", "magnitude", "wanted"),
    [(10, 3, None, 4), (-10, 3, None, 2), (25, 10, None, 12), (-25, 10, None, 8), (10, 4, 2, 6)],
)
def test_percentages_are_rounded_toward_zero_but_to_one_at_least(
    percent, current, magnitude, wanted
):
    policy = StepScaling(
        adjustment_type=AdjustmentType.PERCENT,
        steps=(Step(adjustment=percent),),
        minimum_magnitude=magnitude,
    )
    assert stepped(policy, current, 50, 50) == wanted


def test_a_value_no_step_is_for_wants_nothing():
    assert stepped(OUT, 10, 49, 50) is None


@pytest.mark.parametrize(
    ("current", "value", "wanted"), [(4, 100, 8), (10, 35, 7), (3, 50, 3), (3, 0, 0), (7, 70, 10)]
)
def test_target_tracking_is_proportional_and_rounds_up(current, value, wanted):
    assert tracked(current, value, 50) == wanted


@given(st.integers(0, 500), values, values)
def test_a_higher_metric_never_wants_less(current, one, other):
    lower, higher = sorted((one, other))
    assert tracked(current, lower, 50) <= tracked(current, higher, 50)
