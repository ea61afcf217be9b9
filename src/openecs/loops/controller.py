"""A controller: keys in, reconciled until there is nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from openecs.loops.backoff import Backoff

K = TypeVar("K", bound=Hashable)

log = structlog.get_logger(__name__)


class Again(Exception):
    """Raised by a reconciler whose plan is out of date or whose world is away: try again.

    At once after the first, then with back-off; nothing is wrong, nothing is logged as an error.
    """


class Controller(Generic[K]):
    """Runs ``reconcile(key)`` for every key added; the same key never twice at once.

    A key added while it is being reconciled is reconciled once more afterwards. ``reconcile``
    returns when it wants the key again at the latest, or None. Its errors are logged and retried
    with back-off, for ever: a loop never dies of one key.
    """

    def __init__(
        self,
        name: str,
        reconcile: Callable[[K], Awaitable[datetime | None]],
        *,
        clock: Callable[[], datetime],
        backoff: Backoff | None = None,
    ) -> None:
        self._name = name
        self._reconcile = reconcile
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._waiting: dict[K, None] = {}
        self._active: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, tuple[datetime, asyncio.TimerHandle]] = {}
        self._wake = asyncio.Event()

    def add(self, key: K) -> None:
        """Reconcile the key soon."""
        self._waiting[key] = None
        self._wake.set()

    def add_at(self, key: K, when: datetime) -> None:
        """Reconcile the key at a time, unless it is to be sooner already."""
        known = self._timers.get(key)
        if known is not None:
            if known[0] <= when:
                return
            known[1].cancel()
        delay = max((when - self._clock()).total_seconds(), 0.0)
        handle = asyncio.get_running_loop().call_later(delay, self._due, key)
        self._timers[key] = (when, handle)

    async def run(self) -> None:
        """Work until cancelled; what is under way is cancelled with it."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                for key in [k for k in self._waiting if k not in self._active]:
                    del self._waiting[key]
                    self._active.add(key)
                    group.create_task(self._work(key))

    async def _work(self, key: K) -> None:
        try:
            wake = await self._reconcile(key)
        except Again:
            self._failed(key)
        except Exception:  # whatever one key does, the others go on
            log.exception("reconcile failed", controller=self._name, key=str(key))
            self._failed(key)
        else:
            self._failures.pop(key, None)
            if wake is not None:
                self.add_at(key, wake)
        finally:
            self._active.discard(key)
            if key in self._waiting:
                self._wake.set()

    def _failed(self, key: K) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        delay = timedelta(0) if failures == 1 else self._backoff.delay(failures - 1)
        self.add_at(key, self._clock() + delay)

    def _due(self, key: K) -> None:
        del self._timers[key]
        self.add(key)
