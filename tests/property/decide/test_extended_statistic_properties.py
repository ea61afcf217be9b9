"""Extended statistics against the plainest computation there is: of every single value."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.decide import statistics
from openecs.model.metrics import of_values

COUNTED = st.dictionaries(
    st.integers(0, 50).map(float), st.integers(1, 5), min_size=1, max_size=8
).map(lambda counted: sorted(counted.items()))
SHARES = st.tuples(st.integers(0, 100), st.integers(0, 100)).filter(lambda two: two[0] < two[1])
AMOUNTS = st.tuples(st.integers(-5, 55), st.integers(-5, 55)).filter(lambda two: two[0] < two[1])


def told(stat, counted):
    return statistics.value(stat, of_values([(value, float(n)) for value, n in counted]))


def check(counted, kept, bounds, low, high):
    """What is told of the ``kept`` values; others count as ``low`` or ``high``."""
    every = [value for value, count in counted for _ in range(count)]
    assert told(f"TC{bounds}", counted) == len(kept)
    assert told(f"TS{bounds}", counted) == sum(kept)
    mean = told(f"TM{bounds}", counted)
    assert mean is None if not kept else math.isclose(mean, sum(kept) / len(kept))
    within = [min(max(value, low), high) for value in every]
    assert math.isclose(told(f"WM{bounds}", counted), sum(within) / len(every), abs_tol=1e-9)


@settings(max_examples=100)
@given(COUNTED, SHARES)
def test_shares_are_those_of_the_ranks(counted, shares):
    every = [value for value, count in counted for _ in range(count)]
    low, high = (share * len(every) for share in shares)
    kept = every[low // 100 : -(-high // 100)]
    check(counted, kept, f"({shares[0]}%:{shares[1]}%)", kept[0], kept[-1])
    if shares[1] < 100:
        reached = told(f"p{shares[1]}", counted)
        assert reached == kept[-1]


@settings(max_examples=100)
@given(COUNTED, AMOUNTS)
def test_amounts_are_above_the_low_bound_and_up_to_the_high_one(counted, amounts):
    low, high = amounts
    every = [value for value, count in counted for _ in range(count)]
    kept = [value for value in every if low < value <= high]
    check(counted, kept, f"({low}:{high})", low, high)
    assert math.isclose(told(f"PR({low}:{high})", counted), 100 * len(kept) / len(every))


@settings(max_examples=300)
@given(st.text(alphabet="ptmwcsrIQTMWCSPR()%:.-0123456789", max_size=14))
def test_no_name_breaks_it(stat):
    if statistics.is_known(stat):
        told(stat, [(1.0, 2), (3.0, 4)])
