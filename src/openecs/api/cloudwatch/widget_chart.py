"""Widgets drawn by matplotlib, without the state that its ``pyplot`` shares."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib import dates, style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from openecs.decide.metric_widgets import Mark, Options, Scale, Widget

_DPI = 100
#: AWS's colours of the first metrics.
_COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f",
           "#bcbd22", "#17becf")  # fmt: skip
_MARKED = "#d62728"
#: matplotlib's settings are everybody's.
_ALONE = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A widget with its values: each curve's options and its result of GetMetricData."""

    widget: Widget
    curves: Sequence[tuple[Options, Mapping[str, Any]]]
    start: datetime
    end: datetime
    zone: tzinfo
    moments: Sequence[tuple[datetime, Mark]]
    levels: Sequence[tuple[float, Mark]]


def png(chart: Chart) -> bytes:
    """The picture, exactly as large as the widget says."""
    widget = chart.widget
    # Labels are text: what stands between two dollars is no formula.
    settings: dict[Any, Any] = {"text.parse_math": False, "font.size": 8}
    theme = "dark_background" if widget.theme == "dark" else "default"
    with (
        _ALONE,
        warnings.catch_warnings(action="ignore"),
        style.context(theme),
        mpl.rc_context(settings),
    ):
        size = (widget.width / _DPI, widget.height / _DPI)
        figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure, chart)
        picture = BytesIO()
        try:
            figure.savefig(picture, format="png", dpi=_DPI)
        except ValueError:
            # Too small for what stands around the curves.
            figure.set_layout_engine("none")
            picture = BytesIO()
            figure.savefig(picture, format="png", dpi=_DPI)
    return picture.getvalue()


def _draw(figure: Figure, chart: Chart) -> None:
    left = figure.add_subplot()
    right = left.twinx() if any(o.y_axis == "right" for o, _ in chart.curves) else None
    handles = [*_curves(chart, left, right), *_marks(chart, left, right)]
    left.set_xlim(dates.date2num(chart.start), dates.date2num(chart.end))
    locator = dates.AutoDateLocator(tz=chart.zone, maxticks=8)
    left.xaxis.set_major_locator(locator)
    left.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=chart.zone))
    left.grid(visible=True, alpha=0.3)
    _scale(left, chart.widget.y_axis.left)
    if right is not None:
        _scale(right, chart.widget.y_axis.right)
    if chart.widget.title:
        left.set_title(chart.widget.title, loc="left")
    position = chart.widget.legend.position
    if handles and position != "hidden":
        is_below = position == "bottom"
        figure.legend(
            [artist for artist, _ in handles],
            [label for _, label in handles],
            loc="outside lower left" if is_below else "outside right upper",
            ncols=3 if is_below else 1,
            frameon=False,
        )


def _curves(chart: Chart, left: Axes, right: Axes | None) -> list[tuple[Artist, str]]:
    handles: list[tuple[Artist, str]] = []
    heaps: dict[str, dict[float, float]] = {"left": {}, "right": {}}
    for number, (options, result) in enumerate(chart.curves):
        axes = right if options.y_axis == "right" and right is not None else left
        color = options.color or _COLORS[number % len(_COLORS)]
        at = [float(each) for each in dates.date2num(result["Timestamps"])]
        values = list(result["Values"])
        if chart.widget.stacked:
            heap = heaps[options.y_axis]
            base = [heap.get(each, 0.0) for each in at]
            values = [value + below for value, below in zip(values, base, strict=True)]
            heap.update(zip(at, values, strict=True))
            axes.fill_between(at, base, values, color=color, alpha=0.5, linewidth=0)
        marker = "o" if len(at) == 1 else None
        (line,) = axes.plot(at, values, color=color, linewidth=1.5, marker=marker, markersize=3)
        handles.append((line, result["Label"]))
    return handles


def _marks(chart: Chart, left: Axes, right: Axes | None) -> list[tuple[Artist, str]]:
    handles: list[tuple[Artist, str]] = []
    for value, mark in chart.levels:
        axes = right if mark.y_axis == "right" and right is not None else left
        line = axes.axhline(value, color=mark.color or _MARKED, linestyle="--", linewidth=1)
        handles += [(line, mark.label)] if mark.label else []
    for moment, mark in chart.moments:
        at = float(dates.date2num(moment))
        line = left.axvline(at, color=mark.color or _MARKED, linestyle=":", linewidth=1)
        handles += [(line, mark.label)] if mark.label else []
    return handles


def _scale(axes: Axes, scale: Scale) -> None:
    axes.set_ylim(bottom=scale.min, top=scale.max)
    if scale.label:
        axes.set_ylabel(scale.label)
