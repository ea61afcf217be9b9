"""What metric filters make of log events.

CloudWatch Logs User Guide, "Creating metrics from log events using filters".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite

from openecs.decide import filter_patterns
from openecs.decide.filter_patterns import PatternProblem
from openecs.decide.filter_patterns.json_properties import value_of
from openecs.decide.filter_patterns.values import number_of
from openecs.model.logs import KeptEvent, LogMetricFilter
from openecs.model.metrics import Metric, Sample, of_value

_MINUTE = 60_000


def samples(wanted: LogMetricFilter, events: Sequence[KeptEvent]) -> Iterator[Sample]:
    """A sample for each event that matches; the default for minutes in which none does."""
    pattern = filter_patterns.read(wanted.pattern)
    if isinstance(pattern, PatternProblem):
        return
    new = [event for event in events if event.ingested > wanted.created]
    silent = {event.timestamp // _MINUTE for event in new}
    for event in new:
        taken = pattern.take(event.message)
        if taken is None:
            continue
        silent.discard(event.timestamp // _MINUTE)
        sample = _sample(wanted, event, taken)
        if sample is not None:
            yield sample
    default = wanted.transformation.default
    for minute in sorted(silent) if default is not None else ():
        yield _made(wanted, minute * _MINUTE, default or 0.0, {})


def _sample(wanted: LogMetricFilter, event: KeptEvent, taken: Mapping[str, str]) -> Sample | None:
    """None: the event has no such number, or nothing for a dimension."""
    measured = wanted.transformation
    text = _word(measured.value, event, taken)
    number = number_of(text) if text is not None else None
    named = {name: _word(word, event, taken) for name, word in measured.dimensions.items()}
    known = {name: value for name, value in named.items() if value}
    if number is None or not isfinite(number) or len(known) < len(named):
        return None
    return _made(wanted, event.timestamp, number, known)


def _word(word: str, event: KeptEvent, taken: Mapping[str, str]) -> str | None:
    if not word.startswith("$"):
        return word
    return taken[word] if word in taken else value_of(event.message, word)


def _made(
    wanted: LogMetricFilter, timestamp: int, value: float, dimensions: Mapping[str, str]
) -> Sample:
    measured = wanted.transformation
    named = tuple(sorted(dimensions.items()))
    return Sample(
        metric=Metric(wanted.scope, measured.namespace, measured.name, named),
        timestamp=datetime.fromtimestamp(timestamp / 1000, UTC),
        statistics=of_value(value),
        unit=measured.unit,
        resolution=60,
    )
