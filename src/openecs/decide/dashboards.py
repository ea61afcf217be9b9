"""What is wrong with the body of a dashboard, in the words of CloudWatch.

CloudWatch API Reference, "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST_WIDGETS = 500
_TYPES = ("metric", "text", "log", "alarm", "explorer", "custom")
#: What each type of widget has to say of itself.
_REQUIRED = {
    "metric": ("region",),
    "text": ("markdown",),
    "log": ("region", "query"),
    "alarm": ("alarms",),
    "explorer": ("metrics", "aggregateBy", "labels"),
    "custom": ("endpoint",),
}
#: Where a widget is in the grid, and how large: the least and the most.
_GRID = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: ``/widgets/0/type``."""

    path: str
    message: str


def problems(body: Mapping[str, Any]) -> list[Problem]:
    """Why a body describes no dashboard; empty where it does."""
    return [*_of_body(body), *_of_variables(body)]


def _of_body(body: Mapping[str, Any]) -> Iterator[Problem]:
    widgets = body.get("widgets")
    if widgets is None:
        yield Problem("", "Should have required property 'widgets'")
    elif not isinstance(widgets, list):
        yield Problem("/widgets", "Should be array")
    elif len(widgets) > _MOST_WIDGETS:
        yield Problem("/widgets", f"Should NOT have more than {_MOST_WIDGETS} items")
    else:
        for number, widget in enumerate(widgets):
            yield from _of_widget(f"/widgets/{number}", widget)
    for name in ("start", "end"):
        if not isinstance(body.get(name, ""), str):
            yield Problem(f"/{name}", "Should be string")
    if body.get("periodOverride", "auto") not in ("auto", "inherit"):
        yield Problem("/periodOverride", "Should be equal to one of the allowed values")


def _of_variables(body: Mapping[str, Any]) -> Iterator[Problem]:
    variables = body.get("variables", [])
    if not isinstance(variables, list):
        yield Problem("/variables", "Should be array")
        return
    for number, variable in enumerate(variables):
        path = f"/variables/{number}"
        if not isinstance(variable, dict):
            yield Problem(path, "Should be object")
            continue
        for name in ("type", "property", "inputType"):
            if name not in variable:
                yield Problem(path, f"Should have required property '{name}'")


def _of_widget(path: str, widget: object) -> Iterator[Problem]:
    if not isinstance(widget, dict):
        yield Problem(path, "Should be object")
        return
    yield from _of_place(path, widget)
    kind = widget.get("type")
    if kind is None:
        yield Problem(path, "Should have required property 'type'")
    elif kind not in _TYPES:
        yield Problem(f"{path}/type", "Should be equal to one of the allowed values")
    properties = widget.get("properties")
    if properties is None:
        yield Problem(path, "Should have required property 'properties'")
    elif not isinstance(properties, dict):
        yield Problem(f"{path}/properties", "Should be object")
    elif kind in _TYPES:
        yield from _of_properties(f"{path}/properties", str(kind), properties)


def _of_place(path: str, widget: Mapping[str, Any]) -> Iterator[Problem]:
    for name, (least, most) in _GRID.items():
        value = widget.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int):
            yield Problem(f"{path}/{name}", "Should be integer")
        elif value < least:
            yield Problem(f"{path}/{name}", f"Should be >= {least}")
        elif most is not None and value > most:
            yield Problem(f"{path}/{name}", f"Should be <= {most}")
    if ("x" in widget) is not ("y" in widget):
        missing = "y" if "x" in widget else "x"
        yield Problem(path, f"Should have required property '{missing}'")


def _of_properties(path: str, kind: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    for name in _REQUIRED[kind]:
        if name not in properties:
            yield Problem(path, f"Should have required property '{name}'")
    if kind == "metric":
        yield from _of_metric_widget(path, properties)


def _of_metric_widget(path: str, properties: Mapping[str, Any]) -> Iterator[Problem]:
    alarms = properties.get("annotations", {})
    has_alarm = isinstance(alarms, dict) and "alarms" in alarms
    if "metrics" not in properties and not has_alarm:
        yield Problem(path, "Should have required property 'metrics'")
    for name, (fits, message) in _METRIC_PROPERTIES.items():
        if name in properties and not fits(properties[name]):
            yield Problem(f"{path}/{name}", message)
    metrics = properties.get("metrics", [])
    for number, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        if not isinstance(metric, list):
            yield Problem(f"{path}/metrics/{number}", "Should be array")
        elif not metric:
            yield Problem(f"{path}/metrics/{number}", "Should NOT have fewer than 1 items")


def _is(*kinds: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kinds) and not isinstance(value, bool)


_METRIC_PROPERTIES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "metrics": (_is(list), "Should be array"),
    "region": (_is(str), "Should be string"),
    "title": (_is(str), "Should be string"),
    "stat": (_is(str), "Should be string"),
    "period": (_is(int), "Should be integer"),
    "stacked": (lambda value: isinstance(value, bool), "Should be boolean"),
    "annotations": (_is(dict), "Should be object"),
    "yAxis": (_is(dict), "Should be object"),
    "view": (
        lambda value: value in ("timeSeries", "singleValue", "gauge", "bar", "pie", "table"),
        "Should be equal to one of the allowed values",
    ),
}
