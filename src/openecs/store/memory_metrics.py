"""Metrics in plain dictionaries: for tests, simulation and ``--ephemeral``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from openecs.model.metrics import Datapoint, Metric, Sample, Statistics, merged
from openecs.store.metrics import MetricFilter, Span

#: How long samples are kept: they are as they came, nothing is rolled up.
_KEPT = timedelta(days=15)

#: A moment, in seconds since the epoch, and a unit.
_Key = tuple[int, str]


class MemoryMetricStore:
    """A ``MetricStore`` that forgets with the process."""

    def __init__(self) -> None:
        self._series: defaultdict[Metric, dict[_Key, Statistics]] = defaultdict(dict)

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def put(self, samples: Sequence[Sample]) -> None:
        """Add each to what its second or minute has already."""
        for sample in samples:
            series = self._series[sample.metric]
            key = (_floor(sample.timestamp, sample.resolution), sample.unit)
            known = series.get(key)
            series[key] = merged([known, sample.statistics]) if known else sample.statistics

    async def read(self, spans: Sequence[Span]) -> Sequence[Sequence[Datapoint]]:
        """Put together what falls into each period."""
        return [_datapoints(self._series.get(span.metric, {}), span) for span in spans]

    async def metrics(
        self, wanted: MetricFilter, *, after: Metric | None = None, limit: int | None = None
    ) -> Sequence[Metric]:
        """Look at each."""
        found = sorted(
            metric
            for metric, series in self._series.items()
            if (after is None or metric > after)
            and _is_meant(metric, wanted)
            and _is_active(series, wanted.active_since)
        )
        return found[:limit]

    async def trim(self, now: datetime) -> None:
        """Forget what is older than 15 days."""
        oldest = (now - _KEPT).timestamp()
        for metric, series in list(self._series.items()):
            kept = {key: value for key, value in series.items() if key[0] >= oldest}
            if kept:
                self._series[metric] = kept
            else:
                del self._series[metric]

    async def clear(self) -> None:
        """Forget everything."""
        self._series.clear()


def _floor(moment: datetime, seconds: int) -> int:
    return int(moment.timestamp() // seconds) * seconds


def _datapoints(series: dict[_Key, Statistics], span: Span) -> list[Datapoint]:
    periods: defaultdict[_Key, list[Statistics]] = defaultdict(list)
    for (moment, unit), statistics in series.items():
        begin = moment // span.period * span.period
        is_within = span.start.timestamp() <= begin < span.end.timestamp()
        if is_within and span.unit in {None, unit}:
            periods[begin, unit].append(statistics)
    return [
        Datapoint(datetime.fromtimestamp(begin, UTC), unit, merged(parts))
        for (begin, unit), parts in sorted(periods.items())
    ]


def _is_meant(metric: Metric, wanted: MetricFilter) -> bool:
    has = dict(metric.dimensions)
    return (
        metric.scope == wanted.scope
        and wanted.namespace in {None, metric.namespace}
        and wanted.name in {None, metric.name}
        and all(name in has and value in {None, has[name]} for name, value in wanted.dimensions)
    )


def _is_active(series: dict[_Key, Statistics], since: datetime | None) -> bool:
    return since is None or any(moment >= since.timestamp() for moment, _ in series)
