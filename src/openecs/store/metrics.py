"""The contract of the place where metrics are kept: bulk data, outside of resources and feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openecs.model.identity import Scope
from openecs.model.metrics import Datapoint, Metric, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is asked of one metric: its periods that begin from ``start`` on and before ``end``.

    Periods are of ``period`` seconds and begin at multiples of it since the epoch. ``unit`` None:
    datapoints of each unit on their own.
    """

    metric: Metric
    start: datetime
    end: datetime
    period: int
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    """Which metrics are meant; None: whatever they have.

    A metric has all of ``dimensions``, with any value where it is None, and maybe others.
    """

    scope: Scope
    namespace: str | None = None
    name: str | None = None
    dimensions: tuple[tuple[str, str | None], ...] = ()
    #: Only metrics that have a datapoint since.
    active_since: datetime | None = None


class MetricStore(Protocol):
    """A place for metrics. Open it once, close it once. Methods raise ``StoreUnavailable``."""

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        ...

    async def put(self, samples: Sequence[Sample]) -> None:
        """Keep all samples or none; on return they are durable."""
        ...

    async def read(self, spans: Sequence[Span]) -> Sequence[Sequence[Datapoint]]:
        """For each span its datapoints, the oldest first; periods without data have none."""
        ...

    async def metrics(
        self, wanted: MetricFilter, *, after: Metric | None = None, limit: int | None = None
    ) -> Sequence[Metric]:
        """The metrics there are, in order, behind ``after``."""
        ...

    async def trim(self, now: datetime) -> None:
        """Roll up and forget what is older than the retention of CloudWatch.

        Below a minute 3 hours, a minute 15 days, 5 minutes 63 days, an hour 455 days.
        """
        ...

    async def clear(self) -> None:
        """Forget everything."""
        ...
