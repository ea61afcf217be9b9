"""SEARCH: metrics found by their names, and the ways to say which.

CloudWatch User Guide, "CloudWatch search expression syntax".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from openecs.decide import statistics
from openecs.decide.metric_math.syntax import Called, MathProblem, Number, Text
from openecs.model.metrics import Metric

_LONGEST, _LONGEST_PERIOD = 1024, 86_400
#: Time series that one search tells.
MOST_FOUND = 100
_USUAL_STAT, _USUAL_PERIOD = "Average", 300
#: Upper case before a word, words, and numbers: where a name is taken apart.
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W_]+?")
_DELIMITER = re.compile(r"[\W_]")


@dataclass(frozen=True, slots=True)
class Search:
    """What a call of SEARCH says: which metrics, which statistic, and in which period."""

    query: str
    stat: str
    period: int


@dataclass(frozen=True, slots=True)
class Schema:
    """``{Namespace, Dimension, ...}``: exactly these dimensions; any where none is told."""

    namespace: str
    dimensions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Term:
    """A text to be found, anywhere or in one property; ``is_exact``: it stood in quotes."""

    text: str
    is_exact: bool
    property: str | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """What is not to be found."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """AND, said or not said."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """OR."""

    conditions: tuple[Condition, ...]


Condition = Term | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which metrics a search is after."""

    schema: Schema | None
    condition: Condition | None


def of_call(node: Called, period: int | None) -> Search:
    """The search that a call asks for; ``period`` is that of its query. Raises ``MathProblem``."""
    usual = period or _USUAL_PERIOD
    match node.arguments:
        case (Text(query),):
            return _checked(query, _USUAL_STAT, usual)
        case (Text(query), Text(stat)):
            return _checked(query, stat, usual)
        case (Text(query), Text(stat), Number(seconds)):
            return _checked(query, stat, seconds)
        case _:
            raise MathProblem("the function SEARCH takes a search, a statistic and a period")


def wanted(search: Search) -> Wanted:
    """Which metrics a search is after. Raises ``MathProblem``."""
    from openecs.decide.metric_math import search_grammar

    return search_grammar.read(search.query)


def found(wanted: Wanted, metrics: Iterable[Metric]) -> list[Metric]:
    """The metrics that a search is after."""
    return [each for each in metrics if _fits(wanted, each)]


def labels(metrics: Sequence[Metric]) -> list[str]:
    """What tells the metrics of a search apart: their dimensions, and names where they differ."""
    has_names = len({each.name for each in metrics}) > 1
    told = []
    for each in metrics:
        values = [value for _, value in each.dimensions]
        told.append(" ".join([*values, each.name] if has_names or not values else values))
    return told


def _checked(query: str, stat: str, period: float) -> Search:
    if len(query) > _LONGEST:
        raise MathProblem(f"a search has at most {_LONGEST} characters")
    if not statistics.is_known(stat):
        raise MathProblem(f"the statistic {stat} of SEARCH is not known")
    if period not in {1, 5, 10, 30} and (period < 60 or period % 60):
        raise MathProblem("the period of SEARCH must be 1, 5, 10, 30 or a multiple of 60")
    search = Search(query, stat, int(min(period, _LONGEST_PERIOD)))
    wanted(search)
    return search


def _fits(wanted: Wanted, metric: Metric) -> bool:
    schema = wanted.schema
    if schema is not None:
        if metric.namespace != schema.namespace:
            return False
        if schema.dimensions and schema.dimensions != {name for name, _ in metric.dimensions}:
            return False
    return wanted.condition is None or _holds(wanted.condition, metric)


def _holds(condition: Condition, metric: Metric) -> bool:
    match condition:
        case Term():
            return any(_matches(condition, text) for text in _texts(condition.property, metric))
        case Not(inner):
            return not _holds(inner, metric)
        case AllOf(conditions):
            return all(_holds(each, metric) for each in conditions)
        case AnyOf(conditions):
            return any(_holds(each, metric) for each in conditions)


def _texts(name: str | None, metric: Metric) -> Sequence[str]:
    """Where a term may be found: in all of a metric, or in what a property is."""
    match name:
        case None:
            named = [text for pair in metric.dimensions for text in pair]
            return [metric.name, metric.namespace, *named]
        case "MetricName":
            return [metric.name]
        case "Namespace":
            return [metric.namespace]
        case ":aws.AccountId":
            return [metric.scope.account, "LOCAL"]
        case _:
            return [value for dimension, value in metric.dimensions if dimension == name]


def _matches(term: Term, text: str) -> bool:
    if term.is_exact:
        return term.text == text
    asked, there = _tokens(term.text), _tokens(text)
    if not asked:
        return False
    if "".join(asked).lower() == "".join(there).lower():
        return True
    # Words of one case are found in any; several that stand together only as they are written,
    # but where it is told that they are several.
    if len(asked) == 1 or _DELIMITER.search(term.text):
        asked, there = _lower(asked), _lower(there)
    places = range(len(there) - len(asked) + 1)
    return any(there[at : at + len(asked)] == asked for at in places)


@lru_cache(maxsize=8192)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text))


def _lower(tokens: Sequence[str]) -> tuple[str, ...]:
    return tuple(each.lower() for each in tokens)
