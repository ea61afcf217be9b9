"""GetMetricWidgetImage: a graph of metrics as a PNG, of what GetMetricData tells.

API Reference, GetMetricWidgetImage.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from openecs.api.base import Access, Asked, Call, Measures, Members, Operation
from openecs.api.cloudwatch import metric_answers, metric_queries
from openecs.api.cloudwatch import metric_errors as errors
from openecs.decide import metric_widgets
from openecs.decide.metric_widgets import BadWidget, Line, Widget
from openecs.model.alarms import SERVICE
from openecs.store.metrics import MetricStore


async def get_metric_widget_image(store: MetricStore, call: Call, request: Members) -> Members:
    """The widget drawn."""
    if (request.get("OutputFormat") or "png") != "png":
        raise errors.validation("OpenECS does not build other output formats than png.")
    if find_spec("matplotlib") is None:
        raise errors.validation("Images need matplotlib: pip install 'openecs[charts]'.")
    try:
        widget = metric_widgets.widget(request["MetricWidget"])
        _check_region(call, widget)
        drawn = metric_widgets.lines(widget)
        start, end = metric_widgets.times(widget, call.now)
        moments, levels = metric_widgets.moments(widget), metric_widgets.levels(widget)
    except BadWidget as error:
        raise errors.validation(f"Invalid MetricWidget: {error}.") from error
    asked = {
        "MetricDataQueries": [line.query for line in drawn],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
        "LabelOptions": {"Timezone": widget.timezone},
    }
    answer = await metric_answers.get_metric_data(store, call, asked)
    if answer.get("NextToken"):
        raise errors.validation(
            "The graph has more datapoints than GetMetricData tells at once: choose a longer "
            "period or a shorter time."
        )
    # Large, and nobody else's: only who asks for an image waits for it.
    from openecs.api.cloudwatch import widget_chart

    chart = widget_chart.Chart(
        widget=widget,
        curves=_curves(drawn, answer),
        start=start,
        end=end,
        zone=metric_queries.timezone(asked),
        moments=moments,
        levels=levels,
    )
    return {"MetricWidgetImage": await asyncio.to_thread(widget_chart.png, chart)}


OPERATIONS: dict[str, Operation] = {"GetMetricWidgetImage": Measures(get_metric_widget_image)}


def _asks(_: object, __: Call, ___: Members) -> list[Asked]:
    return [Asked(action=f"{SERVICE}:GetMetricWidgetImage", resource="*")]


ACCESS: dict[str, Access] = {"GetMetricWidgetImage": _asks}


def _check_region(call: Call, widget: Widget) -> None:
    options = (line.options.region for line in metric_widgets.lines(widget))
    if any(region not in {None, call.scope.region} for region in (widget.region, *options)):
        raise BadWidget("OpenECS does not build images of metrics of other regions (region)")


def _curves(drawn: list[Line], answer: Members) -> list[tuple[metric_widgets.Options, Members]]:
    """The results with the options of what they are of."""
    options = {line.query["Id"]: line.options for line in drawn}
    return [(options[result["Id"]], result) for result in answer["MetricDataResults"]]
