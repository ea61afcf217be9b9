"""The queries of GetMetricData: what they may say, and what is to be read for them.

API Reference, GetMetricData, MetricDataQuery.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import tzinfo

from openecs.api.base import Call, Members
from openecs.api.cloudwatch import metric_errors as errors
from openecs.api.cloudwatch.metric_data import dimensions
from openecs.decide import metric_labels, statistics
from openecs.decide.metric_math import evaluation
from openecs.decide.metric_math.search import Search
from openecs.decide.metric_math.syntax import MathProblem
from openecs.model.alarms import MetricDataQuery, MetricStat

_MOST_QUERIES, _MOST_SEARCHES = 500, 100
_FINE = (1, 5, 10, 30)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


def queries(call: Call, given: Sequence[Members]) -> list[MetricDataQuery]:
    """The queries of a request. Raises ``ValidationError``."""
    if len(given) > _MOST_QUERIES:
        raise errors.validation(
            f"The collection MetricDataQueries must not have more than {_MOST_QUERIES} items."
        )
    found = [_query(call, each) for each in given]
    if len({each.id for each in found}) < len(found):
        raise errors.validation("The values for parameter Id are not unique.")
    if not any(each.return_data for each in found):
        raise errors.validation("At least one query must return data.")
    return found


def searches(asked: Sequence[MetricDataQuery]) -> list[Search]:
    """What the expressions search for. Raises ``ValidationError`` where one makes no sense."""
    try:
        found = evaluation.searches(asked)
    except MathProblem as problem:
        raise errors.validation(f"{problem}.") from problem
    if len(found) > _MOST_SEARCHES:
        raise errors.validation(f"A request must not have more than {_MOST_SEARCHES} searches.")
    return found


def timezone(request: Members) -> tzinfo:
    """Where times in labels are told: ``LabelOptions``. Raises ``ValidationError``."""
    offset = (request.get("LabelOptions") or {}).get("Timezone") or "+0000"
    found = metric_labels.timezone_of(offset)
    if found is None:
        raise errors.validation(
            f"The value {offset} for parameter LabelOptions.Timezone is not an offset such as "
            "+0130."
        )
    return found


def period(seconds: int, where: str) -> int:
    """Seconds that a period may have."""
    if seconds not in _FINE and (seconds < 60 or seconds % 60):
        raise errors.invalid_value(
            f"The parameter {where} must be 1, 5, 10, 30 or a multiple of 60."
        )
    return seconds


def _query(call: Call, given: Members) -> MetricDataQuery:
    if not _ID.fullmatch(given["Id"]):
        raise errors.validation(
            f"The value {given['Id']} for parameter MetricDataQueries.member.Id is not matching "
            "the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )
    if given.get("AccountId") not in {None, call.scope.account}:
        raise errors.validation("OpenECS does not build metrics of other accounts (AccountId).")
    stat, expression = given.get("MetricStat"), given.get("Expression")
    if (stat is None) is (expression is None):
        raise errors.validation(
            "Exactly one of the parameters MetricStat and Expression must be specified for "
            f"the query {given['Id']}."
        )
    return MetricDataQuery(
        id=given["Id"],
        stat=_stat(stat) if stat else None,
        expression=expression,
        label=given.get("Label"),
        return_data=given.get("ReturnData") is not False,
        period=period(given["Period"], "Period") if given.get("Period") else None,
    )


def _stat(given: Members) -> MetricStat:
    if not statistics.is_known(given["Stat"]):
        raise errors.validation(f"The value {given['Stat']} for parameter Stat is not supported.")
    metric = given["Metric"]
    return MetricStat(
        namespace=metric.get("Namespace") or "",
        name=metric.get("MetricName") or "",
        dimensions=dimensions(metric.get("Dimensions")),
        period=period(given["Period"], "Period"),
        stat=given["Stat"],
        unit=given.get("Unit"),
    )
