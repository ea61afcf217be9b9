"""When schedules come next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from openecs.decide.scaling.schedules import BadSchedule, next_time

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)  # A Friday.


@pytest.mark.parametrize(
    ("schedule", "zone", "wanted"),
    [
        ("at(2026-01-02T09:00:00)", None, "2026-01-02T09:00:00"),
        ("at(2026-01-02T09:00:00)", "Europe/Berlin", "2026-01-02T08:00:00"),
        ("rate(5 minutes)", None, "2026-01-02T03:09:05"),
        ("rate(1 day)", None, "2026-01-03T03:04:05"),
        ("cron(0 9 * * ? *)", "America/New_York", "2026-01-02T14:00:00"),
        ("cron(0 9 ? * MON-FRI *)", None, "2026-01-02T09:00:00"),
        ("cron(0 9 ? * 2-6 *)", None, "2026-01-02T09:00:00"),
        ("cron(0 9 ? * 1 *)", None, "2026-01-04T09:00:00"),
        ("cron(0 9 L * ? *)", None, "2026-01-31T09:00:00"),
        ("cron(0 9 ? * 2#1 *)", None, "2026-01-05T09:00:00"),
        ("cron(0 9 1 1 ? 2028-2030)", None, "2028-01-01T09:00:00"),
        ("cron(0/15 * * * ? *)", None, "2026-01-02T03:15:00"),
    ],
)
def test_the_next_time(schedule, zone, wanted):
    found = next_time(schedule, zone, after=NOW, begun=NOW)
    assert found == datetime.fromisoformat(wanted).replace(tzinfo=UTC)


@pytest.mark.parametrize("schedule", ["at(2026-01-01T09:00:00)", "cron(0 9 * * ? 2025)"])
def test_what_is_over_never_comes_again(schedule):
    assert next_time(schedule, None, after=NOW, begun=NOW) is None


@pytest.mark.parametrize(
    "schedule",
    ["", "cron(0 9 * * *)", "cron(0 9 * * * *)", "cron(99 9 * * ? *)", "rate(0 days)", "at(soon)"],
)
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(BadSchedule):
        next_time(schedule, None, after=NOW, begun=NOW)


def test_missed_rounds_of_a_rate_are_not_made_up():
    later = NOW + timedelta(minutes=12)
    found = next_time("rate(5 minutes)", None, after=later, begun=NOW)
    assert found == NOW + timedelta(minutes=15)
