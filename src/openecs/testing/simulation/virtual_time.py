"""An event loop whose time jumps to the next timer: hours pass as fast as their events can be run.

Nothing waits for the outside: a loop with nothing to do and no timer ends with ``Deadlock``, and
one that never lets time pass with ``Livelock``. What goes to a thread is done at once instead, so
that the same program does the same in every run.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

#: Rounds of the loop in which no time passes before it is taken to be spinning.
PATIENCE = 100_000


class Deadlock(RuntimeError):
    """Everybody waits and nothing can ever happen."""


class Livelock(RuntimeError):
    """Something happens again and again, and time stands still."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a time of its own, that starts at 0 seconds."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Seconds since the loop began."""
        return self._leap.now

    def run_in_executor(
        self,
        executor: Any,  # noqa: ARG002 - the signature of the loop; there are no threads here
        func: Callable[[*Arguments], T],
        *args: *Arguments,
    ) -> asyncio.Future[T]:
        """Do it now, in this thread."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is for whoever waits for the result
            done.set_exception(error)
        return done


def run(main: Callable[[], Coroutine[None, None, T]]) -> T:
    """What ``main`` comes to, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def clock_from(begin: datetime) -> Callable[[], datetime]:
    """The time of the running loop as a clock that showed ``begin`` when the loop began."""

    def clock() -> datetime:
        return begin + timedelta(seconds=asyncio.get_running_loop().time())

    return clock


class _Leap(selectors.SelectSelector):
    """Passes the time that it was asked to wait, without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is left that could happen")
        if timeout > 0:
            self.now += timeout
            self._rounds = 0
            return []
        self._rounds += 1
        if self._rounds > PATIENCE:
            raise Livelock(f"time stands still at {self.now} seconds")
        return []
