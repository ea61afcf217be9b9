"""What the engine itself says has happened: containers that started and died, and when."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from benchmarks.engine_api import connect, quoted

LINE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``start`` or ``die`` of a container, at seconds since 1970 by the engine's clock."""

    action: str
    container: str
    labels: Mapping[str, str]
    at: float


class NeverHappened(Exception):
    """What was waited for has not happened in the time given."""


class EngineEvents:
    """The starts and deaths from the moment it is made on, in order; none is missed."""

    def __init__(self) -> None:
        self.begun = time.time()
        self.seen: list[Event] = []
        self._connection = connect()
        filters = quoted({"type": ["container"], "event": ["start", "die"]})
        self._connection.request("GET", f"/events?since={self.begun:.9f}&filters={filters}")
        self._stream = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def until(self, happened: Callable[[Event], bool], *, within: float) -> Event:
        """The first event still to come that is so. Raises ``NeverHappened``."""
        deadline = time.monotonic() + within
        while True:
            event = self._next(deadline)
            if happened(event):
                return event

    def _next(self, deadline: float) -> Event:
        left = deadline - time.monotonic()
        if left <= 0:
            raise NeverHappened
        self._connection.sock.settimeout(left)
        try:
            line = self._stream.readline(LINE)
        except TimeoutError:
            raise NeverHappened from None
        if not line:
            raise RuntimeError("the engine ended its stream of events")
        self.seen.append(_event(json.loads(line)))
        return self.seen[-1]


def _event(told: Mapping[str, Any]) -> Event:
    actor = told["Actor"]
    return Event(
        action=told["Action"],
        container=actor["ID"],
        labels=actor["Attributes"],
        at=told["timeNano"] / 1e9,
    )
