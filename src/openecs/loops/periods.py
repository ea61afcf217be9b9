"""The clock's periods, for what is measured by them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

#: So long before a period ends it is measured: whoever judges by whole periods finds it there.
EARLY = timedelta(seconds=1)


async def periods(clock: Callable[[], datetime], length: timedelta) -> AsyncIterator[datetime]:
    """The begin of each period shortly before its end, for ever.

    Periods begin at multiples of ``length`` since the epoch. One that went by while the last was
    worked on is left out.
    """
    while True:
        begin = begin_of(clock() + EARLY, length)
        wait = begin + length - EARLY - clock()
        await asyncio.sleep(max(0.0, wait.total_seconds()))
        yield begin


def begin_of(moment: datetime, length: timedelta) -> datetime:
    """The begin of the period that a moment is in."""
    seconds = length.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, moment.tzinfo)
