"""Metrics as Prometheus takes them, named as its CloudWatch exporter names them.

https://github.com/prometheus/cloudwatch_exporter; ``AWS/ECS CPUUtilization`` is told as
``aws_ecs_cpuutilization_average`` and its like for each statistic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from openecs.model.metrics import Metric, Statistics

CONTENT_TYPE = CONTENT_TYPE_LATEST
_STATISTICS = ("sum", "sample_count", "minimum", "maximum", "average")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_UNSAFE = re.compile(r"[^a-zA-Z0-9_]")


def text(told: Iterable[tuple[Metric, Statistics]]) -> bytes:
    """The exposition of metrics, each with its statistics of the newest minute."""
    return generate_latest(_Told(told))


@dataclass(frozen=True, slots=True)
class _Told(Collector):
    told: Iterable[tuple[Metric, Statistics]]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family of gauges for each name and statistic."""
        families: dict[str, GaugeMetricFamily] = {}
        known: set[tuple[str, frozenset[tuple[str, str]]]] = set()
        for metric, statistics in self.told:
            base, labels = f"{_name(metric.namespace)}_{_name(metric.name)}", _labels(metric)
            # Names that differ only in what Prometheus has no letters for: it takes none twice.
            if (same := (base, frozenset(labels.items()))) in known:
                continue
            known.add(same)
            for statistic, value in zip(_STATISTICS, _values(statistics), strict=True):
                said = f"CloudWatch metric {metric.namespace} {metric.name}, {statistic}"
                name = f"{base}_{statistic}"
                family = families.setdefault(name, GaugeMetricFamily(name, said))
                family.add_sample(name, labels, value)
        yield from families.values()


def _values(found: Statistics) -> tuple[float, ...]:
    average = found.sum / found.count if found.count else 0.0
    return (found.sum, found.count, found.minimum, found.maximum, average)


def _labels(metric: Metric) -> dict[str, str]:
    dimensions = {_name(name): value for name, value in metric.dimensions}
    return {"account_id": metric.scope.account, "region": metric.scope.region, **dimensions}


def _name(given: str) -> str:
    found = _UNSAFE.sub("_", _HUMP.sub(r"\1_\2", given)).lower()
    # Prometheus takes no name that begins with a digit; with two underscores begin its own labels.
    return f"_{found.lstrip('_')}" if found[0].isdigit() or found.startswith("__") else found
