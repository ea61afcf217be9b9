"""Dynamic labels: what ``${...}`` in the label of a time series stands for.

CloudWatch User Guide, "Use dynamic labels".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from openecs.model.alarms import MetricStat
from openecs.model.identity import Scope

_VARIABLE = re.compile(
    r"""\$\{\s*(?:PROP\(\s*(['"])(?P<prop>[^'"]*)\1\s*\)|(?P<name>[A-Z_]+))\s*\}"""
)
_TIMEZONE = re.compile(r"([+-])([01]\d|2[0-3])([0-5]\d)", re.ASCII)
#: What stands for a value that there is not.
_NONE = "--"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What labels tell of a time series: its ``values`` by the second, the oldest first."""

    label: str
    values: Mapping[int, float]
    metric: MetricStat | None
    scope: Scope
    now: datetime
    timezone: tzinfo


def is_dynamic(template: str) -> bool:
    """Whether a label tells of its time series."""
    return _VARIABLE.search(template) is not None


def label(template: str, facts: Facts) -> str:
    """The label with its variables told; those that nobody knows stay as they are."""

    def told(found: re.Match[str]) -> str:
        if found["prop"] is not None:
            return _property(found["prop"], facts)
        if found["name"] == "LABEL":
            return facts.label
        variable = _VARIABLES.get(found["name"])
        if variable is None:
            return found[0]
        return variable(_Shown(facts)) if facts.values else _NONE

    return _VARIABLE.sub(told, template)


def timezone_of(offset: str) -> tzinfo | None:
    """``+0130``: so far from UTC; None where it is no such text."""
    found = _TIMEZONE.fullmatch(offset)
    if found is None:
        return None
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-ahead if found[1] == "-" else ahead)


def _property(name: str, facts: Facts) -> str:
    metric = facts.metric
    if name in {"AccountId", "Region"}:
        return facts.scope.account if name == "AccountId" else facts.scope.region
    if metric is None:
        return _NONE
    if name.startswith("Dim."):
        return dict(metric.dimensions).get(name.removeprefix("Dim."), _NONE)
    known = {
        "MetricName": metric.name,
        "Namespace": metric.namespace,
        "Period": str(metric.period),
        "Stat": metric.stat,
    }
    return known.get(name, _NONE)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A series with a value at least, as labels tell it."""

    facts: Facts

    @property
    def points(self) -> Sequence[tuple[int, float]]:
        return list(self.facts.values.items())

    @property
    def values(self) -> Sequence[float]:
        return list(self.facts.values.values())

    def lowest(self) -> tuple[int, float]:
        return min(self.points, key=lambda point: point[1])

    def highest(self) -> tuple[int, float]:
        return max(self.points, key=lambda point: point[1])

    def time(self, point: tuple[int, float]) -> str:
        return datetime.fromtimestamp(point[0], self.facts.timezone).isoformat(sep=" ")

    def ago(self, point: tuple[int, float]) -> str:
        return _span(int(self.facts.now.timestamp()) - point[0])

    def between(self, one: tuple[int, float], two: tuple[int, float]) -> str:
        return _span(two[0] - one[0])


_VARIABLES: Mapping[str, Callable[[_Shown], str]] = {
    "AVG": lambda shown: _number(sum(shown.values) / len(shown.values)),
    "DATAPOINT_COUNT": lambda shown: str(len(shown.values)),
    "FIRST": lambda shown: _number(shown.values[0]),
    "FIRST_LAST_RANGE": lambda shown: _number(shown.values[-1] - shown.values[0]),
    "FIRST_LAST_TIME_RANGE": lambda shown: shown.between(shown.points[0], shown.points[-1]),
    "FIRST_TIME": lambda shown: shown.time(shown.points[0]),
    "FIRST_TIME_RELATIVE": lambda shown: shown.ago(shown.points[0]),
    "LAST": lambda shown: _number(shown.values[-1]),
    "LAST_TIME": lambda shown: shown.time(shown.points[-1]),
    "LAST_TIME_RELATIVE": lambda shown: shown.ago(shown.points[-1]),
    "MAX": lambda shown: _number(max(shown.values)),
    "MAX_TIME": lambda shown: shown.time(shown.highest()),
    "MAX_TIME_RELATIVE": lambda shown: shown.ago(shown.highest()),
    "MIN": lambda shown: _number(min(shown.values)),
    "MIN_MAX_RANGE": lambda shown: _number(max(shown.values) - min(shown.values)),
    "MIN_MAX_TIME_RANGE": lambda shown: shown.between(shown.lowest(), shown.highest()),
    "MIN_TIME": lambda shown: shown.time(shown.lowest()),
    "MIN_TIME_RELATIVE": lambda shown: shown.ago(shown.lowest()),
    "SUM": lambda shown: _number(sum(shown.values)),
}


def _number(value: float) -> str:
    return f"{value:.12g}"


def _span(seconds: int) -> str:
    """``1d 2h 5m``, without units of which there are none."""
    left, parts = abs(seconds), []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
