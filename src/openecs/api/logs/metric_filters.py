"""Metric filters: what of logs is measured.

API Reference, PutMetricFilter, DescribeMetricFilters, TestMetricFilter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.logs import errors, paging, references
from openecs.api.logs.patterns import pattern_of
from openecs.decide.filter_patterns.values import number_of
from openecs.model.logs import LogMetricFilter, MetricTransformation, milliseconds
from openecs.store.base import Transaction, View
from openecs.store.logs import LOG_METRIC_FILTERS, filter_key

_MOST, _MOST_DIMENSIONS = 100, 3
_SELECTOR = re.compile(r"\$\S+")


def put_metric_filter(tx: Transaction, call: Call, request: Members) -> Members:
    """Measure what matches from now on; a filter of the name is replaced."""
    errors.refuse(
        request, "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFieldDimensions"
    )
    group = references.named(tx, call, request["logGroupName"])
    pattern_of(request["filterPattern"])
    new = LogMetricFilter(
        scope=call.scope,
        group=group.name,
        name=request["filterName"],
        pattern=request["filterPattern"],
        transformation=_transformation(request["metricTransformations"][0]),
        created=milliseconds(call.now),
    )
    known = tx.get(LOG_METRIC_FILTERS, call.scope, filter_key(group.name, new.name))
    count = tx.count(LOG_METRIC_FILTERS, call.scope, "group", (group.name,))
    if known is None and count >= _MOST:
        raise ServiceError("LimitExceededException", "Resource limit exceeded.")
    tx.put(LOG_METRIC_FILTERS, new)
    return {}


def delete_metric_filter(tx: Transaction, call: Call, request: Members) -> Members:
    """Measure no more."""
    group = references.named(tx, call, request["logGroupName"])
    key = filter_key(group.name, request["filterName"])
    if tx.get(LOG_METRIC_FILTERS, call.scope, key) is None:
        raise errors.no_metric_filter()
    tx.delete(LOG_METRIC_FILTERS, call.scope, key)
    return {}


def describe_metric_filters(view: View, call: Call, request: Members) -> Members:
    """The filters of a group, or of a metric, or all."""
    group, prefix = request.get("logGroupName"), request.get("filterNamePrefix") or ""
    metric = (request.get("metricNamespace"), request.get("metricName"))
    if group is not None:
        references.named(view, call, group)
    elif prefix:
        raise errors.invalid("filterNamePrefix is of the filters of one logGroupName.")
    if (metric[0] is None) != (metric[1] is None):
        raise errors.invalid("metricName and metricNamespace are given together.")
    token = request.get("nextToken")
    found: Sequence[LogMetricFilter] = [
        each
        for each in view.scan(
            LOG_METRIC_FILTERS,
            call.scope,
            prefix=filter_key(group, prefix) if group else "",
            after=paging.key_of(token, str) if token else "",
        )
        if metric in {(None, None), (each.transformation.namespace, each.transformation.name)}
    ]
    most = paging.limit(request)
    last = found[most - 1] if len(found) > most else None
    more = {"nextToken": paging.token(filter_key(last.group, last.name))} if last else {}
    return {"metricFilters": [_shown(each) for each in found[:most]], **more}


def check_metric_filter(_: View, __: Call, request: Members) -> Members:
    """TestMetricFilter: which of some messages match, and what is taken out of them."""
    pattern = pattern_of(request["filterPattern"])
    matches = [
        {"eventNumber": number, "eventMessage": message, "extractedValues": taken}
        for number, message in enumerate(request["logEventMessages"], 1)
        if (taken := pattern.take(message)) is not None
    ]
    return {"matches": matches}


OPERATIONS: dict[str, Operation] = {
    "PutMetricFilter": Writes(put_metric_filter),
    "DeleteMetricFilter": Writes(delete_metric_filter),
    "DescribeMetricFilters": Reads(describe_metric_filters),
    "TestMetricFilter": Reads(check_metric_filter),
}


def _transformation(given: Members) -> MetricTransformation:
    value, dimensions = given["metricValue"], given.get("dimensions") or {}
    if number_of(value) is None and not _SELECTOR.fullmatch(value):
        raise errors.invalid(f"Invalid metric transformation: metric value {value}")
    if dimensions and given.get("defaultValue") is not None:
        raise errors.invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive "
            "properties."
        )
    if len(dimensions) > _MOST_DIMENSIONS or any(
        not _SELECTOR.fullmatch(word) for word in dimensions.values()
    ):
        raise errors.invalid(
            f"Invalid metric transformation: at most {_MOST_DIMENSIONS} dimensions, each of a "
            "field of the pattern."
        )
    return MetricTransformation(
        name=given["metricName"],
        namespace=given["metricNamespace"],
        value=value,
        default=given.get("defaultValue"),
        unit=given.get("unit") or "None",
        dimensions=dimensions,
    )


def _shown(each: LogMetricFilter) -> Members:
    measured = each.transformation
    return {
        "filterName": each.name,
        "filterPattern": each.pattern,
        "logGroupName": each.group,
        "creationTime": each.created,
        "applyOnTransformedLogs": False,
        "metricTransformations": [
            {
                "metricName": measured.name,
                "metricNamespace": measured.namespace,
                "metricValue": measured.value,
                "defaultValue": measured.default,
                "unit": measured.unit,
                "dimensions": measured.dimensions or None,
            }
        ],
    }
