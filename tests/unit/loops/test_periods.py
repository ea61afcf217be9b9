"""The clock's periods."""

from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from openecs.loops.periods import EARLY, begin_of, periods

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(
    moment=st.datetimes(
        datetime(2020, 1, 1),
        datetime(2040, 1, 1),
        timezones=st.just(UTC),
    ),
    seconds=st.sampled_from([1, 10, 60, 3600]),
)
def test_a_moment_is_in_its_period(moment, seconds):
    length = timedelta(seconds=seconds)
    begin = begin_of(moment, length)
    assert begin <= moment < begin + length
    assert (begin - EPOCH) % length == timedelta(0)


async def test_each_period_is_told_shortly_before_its_end():
    length, began = timedelta(seconds=10), datetime(2026, 1, 1, tzinfo=UTC)
    # Each look at the clock finds it just before the time that is waited for.
    times = iter(
        began + length * (n // 2 + 1) - EARLY - timedelta(microseconds=1) for n in range(9)
    )
    async with aclosing(periods(lambda: next(times), length)) as told:
        found = [await anext(told) for _ in range(3)]
    assert found == [began, began + length, began + 2 * length]
