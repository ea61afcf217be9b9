"""When a schedule comes next: ``at(...)``, ``rate(...)`` and AWS's ``cron(...)`` of six fields.

Application Auto Scaling User Guide, "Schedule recurring scaling actions using cron expressions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from openecs.model.scaling import ScheduledAction

_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_DAY_NUMBER = re.compile(r"(?<![#/\w])[1-7]")
_YEARS = re.compile(r"(\d{4})(?:-(\d{4}))?(?:/(\d+))?|\*(?:/(\d+))?")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class BadSchedule(ValueError):
    """A schedule that is none."""


def next_time(
    schedule: str, zone: str | None, *, after: datetime, begun: datetime
) -> datetime | None:
    """The first time after ``after``; None: never again. Rates count from ``begun``.

    Raises ``BadSchedule``.
    """
    where = ZoneInfo(zone or "UTC")
    if match := _AT.fullmatch(schedule):
        return _once(match[1], where, after)
    if match := _RATE.fullmatch(schedule):
        return _rate(int(match[1]), match[2], after, begun)
    if match := _CRON.fullmatch(schedule):
        return _cron(match[1].split(), where, after)
    raise BadSchedule(schedule)


def first_time(action: ScheduledAction, now: datetime) -> datetime | None:
    """When an action that was put now is done first; a start time is a time to do it, too."""
    start = action.start
    if start is not None and start > now and not action.schedule.startswith("at("):
        # Looked at even so: a schedule that is none is to be refused.
        next_time(action.schedule, action.timezone, after=start, begun=start)
        return start
    return following(action, now)


def following(action: ScheduledAction, now: datetime) -> datetime | None:
    """The action's next time; None where it has ended by then. Raises ``BadSchedule``."""
    begun = action.start or action.created_at
    found = next_time(action.schedule, action.timezone, after=now, begun=begun)
    if found is not None and action.end is not None and found > action.end:
        return None
    return found


def awaited(action: ScheduledAction, now: datetime) -> datetime | None:
    """When an action is done next: sooner than was reckoned, where the clock was set back since."""
    if action.next_at is None or action.next_at <= now:
        return action.next_at
    return min(action.next_at, first_time(action, now) or action.next_at)


def _once(text: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    try:
        when = datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except ValueError as error:
        raise BadSchedule(text) from error
    return when if when > after else None


def _rate(count: int, unit: str, after: datetime, begun: datetime) -> datetime:
    if count < 1:
        raise BadSchedule(f"rate({count} {unit})")
    step = timedelta(**{f"{unit}s": count})
    rounds = max((after - begun) // step + 1, 1)
    return begun + rounds * step


def _cron(fields: list[str], zone: ZoneInfo, after: datetime) -> datetime | None:
    if len(fields) != 6 or "?" not in fields[2:5:2]:
        raise BadSchedule(" ".join(fields))
    minute, hour, day, month, weekday, year = fields
    weekday = _DAY_NUMBER.sub(lambda m: str(int(m[0]) - 1), weekday)
    line = f"{minute} {hour} {day} {month} {weekday}".replace("?", "*")
    for first, last in _spans(_years(year), after.astimezone(zone).year):
        begin = datetime(first, 1, 1, tzinfo=zone) - timedelta(minutes=1)
        try:
            times: Iterator[datetime] = CronSim(line, max(begin, after.astimezone(zone)))
        except CronSimError as error:
            raise BadSchedule(" ".join(fields)) from error
        found = next(times, None)
        if found is not None and found.year <= last:
            return found.astimezone(UTC)
    return None


def _spans(years: set[int], now: int) -> Iterator[tuple[int, int]]:
    """Years that follow each other, from now on, each first and last."""
    coming = sorted(year for year in years if year >= now)
    while coming:
        length = next((n for n, y in enumerate(coming) if y != coming[0] + n), len(coming))
        yield coming[0], coming[length - 1]
        coming = coming[length:]


def _years(text: str) -> set[int]:
    years: set[int] = set()
    for part in text.split(","):
        match = _YEARS.fullmatch(part)
        if match is None:
            raise BadSchedule(text)
        first = int(match[1] or _FIRST_YEAR)
        step = int(match[3] or match[4] or 1)
        open_ended = match[1] is None or match[3]
        last = int(match[2] or (_LAST_YEAR if open_ended else first))
        if step < 1:
            raise BadSchedule(text)
        years |= set(range(first, min(last, _LAST_YEAR) + 1, step))
    return years
