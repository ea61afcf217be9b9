"""Expressions evaluated: one after another, as they speak of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from graphlib import CycleError, TopologicalSorter

from openecs.decide.metric_math import functions, operators
from openecs.decide.metric_math.search import Search, of_call
from openecs.decide.metric_math.series import MOST_SERIES, Array, Effort, Frame, Series, Value, kind
from openecs.decide.metric_math.syntax import (
    Called,
    Chain,
    Listed,
    MathProblem,
    Name,
    Negated,
    Node,
    Number,
    Power,
    Text,
    Word,
    names,
    walk,
)
from openecs.model.alarms import MetricDataQuery

#: Seconds from value to value of an expression that no metric and no ``Period`` tells.
_USUAL_PERIOD = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What expressions work on: the metrics by id, what each search found, and the time."""

    metrics: Mapping[str, Series]
    searches: Mapping[Search, Array] = field(default_factory=dict)
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a query tells; ``has_losses``: of some moments what is no number, which is left out."""

    series: Series | Array
    has_losses: bool = False


def searches(queries: Sequence[MetricDataQuery]) -> list[Search]:
    """What is searched for in any expression. Raises ``MathProblem``."""
    found: dict[Search, None] = {}
    periods = {each.id: each.period for each in queries}
    for id_, node in parsed(queries).items():
        for each in walk(node):
            if isinstance(each, Called) and each.function == "SEARCH":
                found[_search(id_, each, periods[id_])] = None
    return list(found)


def parsed(queries: Sequence[MetricDataQuery]) -> dict[str, Node]:
    """The expressions of queries by their ids. Raises ``MathProblem``."""
    from openecs.decide.metric_math import grammar

    made = {}
    for each in queries:
        if each.expression is not None:
            try:
                made[each.id] = grammar.read(each.expression)
            except MathProblem as problem:
                raise in_expression(each.id, problem) from problem
    _check_names(made, {each.id for each in queries})
    return made


def evaluated(
    queries: Sequence[MetricDataQuery], known: Known, effort: Effort | None = None
) -> dict[str, Told]:
    """What each query tells, by its id: also metrics, as they are. Raises ``MathProblem``."""
    nodes = parsed(queries)
    periods = {each.id: each.period for each in queries}
    effort = effort or Effort()
    told: dict[str, Series | Array] = dict(known.metrics)
    made = {id_: Told(series) for id_, series in known.metrics.items()}
    for id_ in _ordered(nodes):
        if id_ in nodes:
            period = periods[id_] or _period(nodes[id_], told, known)
            frame = Frame(start=known.start, end=known.end, period=period, effort=effort)
            evaluation = _Evaluation(frame, known, told, periods[id_])
            told[id_] = _answer(id_, nodes[id_], evaluation)
            made[id_] = Told(told[id_], frame.losses.any)
    return made


def in_expression(id_: str, problem: MathProblem) -> MathProblem:
    """The same problem, with the expression that has it."""
    return MathProblem(f"Error in expression '{id_}': {problem}")


@dataclass(frozen=True, slots=True)
class _Evaluation:
    frame: Frame
    known: Known
    told: Mapping[str, Series | Array]
    #: That of the query, where it has one.
    period: int | None

    def value(self, node: Node) -> Value:
        match node:
            case Number(value) | Text(value):
                return value
            case Word():
                return node
            case Name(id_):
                return self.told[id_]
            case Listed(items):
                return self._array(items)
            case Negated(inner):
                return operators.negated(self.frame, self.value(inner))
            case Chain() | Power():
                return self._chain(node)
            case Called():
                return self._called(node)

    def _chain(self, node: Chain | Power) -> Value:
        if isinstance(node, Chain):
            return reduce(
                lambda left, pair: operators.apply(self.frame, pair[0], left, self.value(pair[1])),
                node.rest,
                self.value(node.first),
            )
        told = [self.value(node.base), *(self.value(each) for _, each in node.exponents)]
        made = told.pop()
        for is_negated, _ in reversed(node.exponents):
            exponent = operators.negated(self.frame, made) if is_negated else made
            made = operators.apply(self.frame, "^", told.pop(), exponent)
        return made

    def _array(self, items: Sequence[Node]) -> Array:
        made: list[Series] = []
        for each in (self.value(item) for item in items):
            match each:
                case Series():
                    made.append(each)
                case tuple():
                    made.extend(each)
                case _:
                    raise MathProblem(f"an array is made of time series, not of {kind(each)}")
            _check_size(made)
        return tuple(made)

    def _called(self, node: Called) -> Value:
        if node.function == "METRICS":
            return self._metrics([self.value(each) for each in node.arguments])
        if node.function == "SEARCH":
            return self.known.searches.get(of_call(node, self.period), ())
        return functions.call(self.frame, node.function, [self.value(n) for n in node.arguments])

    def _metrics(self, arguments: Sequence[Value]) -> Array:
        """The metrics of the request whose id contains a text, or all."""
        part = arguments[0] if arguments else ""
        if len(arguments) > 1 or not isinstance(part, str):
            raise MathProblem("the function METRICS takes a string or nothing")
        return tuple(series for id_, series in self.known.metrics.items() if part in id_)


def _search(id_: str, node: Called, period: int | None) -> Search:
    try:
        return of_call(node, period)
    except MathProblem as problem:
        raise in_expression(id_, problem) from problem


def _answer(id_: str, node: Node, evaluation: _Evaluation) -> Series | Array:
    try:
        value = _final(evaluation.value(node))
    except MathProblem as problem:
        raise in_expression(id_, problem) from problem
    # What an expression makes is no metric any more, even where it is as it was.
    return value if isinstance(value, tuple) else replace(value, metric=None)


def _final(value: Value) -> Series | Array:
    if isinstance(value, Series):
        return value
    if not isinstance(value, tuple):
        raise MathProblem(
            f"an expression must tell a time series or an array of them, and this is {kind(value)}"
        )
    _check_size(value)
    return value


def _check_size(array: Sequence[Series]) -> None:
    if len(array) > MOST_SERIES:
        raise MathProblem(f"an array has at most {MOST_SERIES} time series")


def _period(node: Node, told: Mapping[str, Series | Array], known: Known) -> int:
    """The longest period of what an expression speaks of, or else of any metric."""
    spoken_of = [told[each] for each in names(node)]
    series = [s for each in spoken_of for s in (each if isinstance(each, tuple) else (each,))]
    return max((s.period for s in series or known.metrics.values()), default=_USUAL_PERIOD)


def _check_names(nodes: Mapping[str, Node], ids: set[str]) -> None:
    for id_, node in nodes.items():
        if unknown := names(node) - ids:
            problem = MathProblem(f"the id {min(unknown)} is not that of any query")
            raise in_expression(id_, problem)
    _ordered(nodes)


def _ordered(nodes: Mapping[str, Node]) -> list[str]:
    """The ids, so that each comes behind those it speaks of."""
    try:
        return list(
            TopologicalSorter({k: sorted(names(n)) for k, n in nodes.items()}).static_order()
        )
    except CycleError as error:
        id_ = next(each for each in error.args[1] if each in nodes)
        raise in_expression(id_, MathProblem("it depends on itself")) from error
