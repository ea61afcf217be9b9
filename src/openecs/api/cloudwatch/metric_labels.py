"""What the series of an answer go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from openecs.api.base import Call
from openecs.decide import metric_labels
from openecs.decide.metric_math.series import Array, Series
from openecs.model.alarms import MetricDataQuery


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one answer; times in them are told in ``timezone``."""

    call: Call
    timezone: tzinfo

    def of_metrics(
        self, asked: Sequence[MetricDataQuery], metrics: Mapping[str, Series]
    ) -> dict[str, Series]:
        """Metrics by their ids, each with the label that its query gives it."""
        given = {each.id: each.label for each in asked}
        return {
            id_: replace(series, label=self._told(given[id_] or series.label, series))
            for id_, series in metrics.items()
        }

    def of(self, query: MetricDataQuery, told: Series | Array) -> list[tuple[Series, str]]:
        """What each series of a query goes by: in an array, by what it is of, too."""
        if query.stat is not None and isinstance(told, Series):
            return [(told, told.label)]
        if isinstance(told, Series):
            return [(told, self._told(query.label or query.id, replace(told, label=query.id)))]
        label = query.label or ""
        if metric_labels.is_dynamic(label):
            return [(each, self._told(label, each)) for each in told]
        return [(each, " ".join(filter(None, (label, each.label)))) for each in told]

    def _told(self, template: str, series: Series) -> str:
        if not metric_labels.is_dynamic(template):
            return template
        facts = metric_labels.Facts(
            label=series.label,
            values=series.values,
            metric=series.metric,
            scope=self.call.scope,
            now=self.call.now,
            timezone=self.timezone,
        )
        return metric_labels.label(template, facts)
