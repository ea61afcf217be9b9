"""The functions of queries: of one event, and of many in ``stats``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lark import Token, Tree

from openecs.decide.insights.expressions import (
    Scope,
    Sort,
    Sql,
    arguments,
    expression,
    milliseconds,
    problem,
)
from openecs.decide.insights.problem import Node

_Function = Callable[[Node, Sequence[Any], Scope], Sql]


def aggregate(node: Any, scope: Scope) -> Sql | None:
    """A function of many events; None: it is none."""
    if not isinstance(node, Tree) or node.data != "call":
        return None
    name, given = str(node.children[0]).lower(), arguments(node)
    is_all = not given or (len(given) == 1 and isinstance(given[0], Token))
    if name == "count" and is_all:
        return Sql("count(*)", Sort.NUMBER)
    if name not in _AGGREGATES:
        return None
    if is_all or len(given) != (2 if name in {"pct", "percentile"} else 1):
        raise problem(f"{name} has another number of arguments", node)
    subject = expression(given[0], scope)
    second = expression(given[1], scope).number if len(given) == 2 else ""
    return _AGGREGATES[name](subject, second)


def _least_of(word: str) -> Callable[[Sql, str], Sql]:
    def made(subject: Sql, _: str) -> Sql:
        sort = subject.sort if subject.sort is Sort.TIME else Sort.NUMBER
        return Sql(f"{word}({subject.number})", sort)

    return made


_AGGREGATES: Mapping[str, Callable[[Sql, str], Sql]] = {
    "count": lambda x, _: Sql(f"count({x.text})", Sort.NUMBER),
    "count_distinct": lambda x, _: Sql(f"count(DISTINCT {x.text})", Sort.NUMBER),
    "sum": lambda x, _: Sql(f"sum({x.number})", Sort.NUMBER),
    "avg": lambda x, _: Sql(f"avg({x.number})", Sort.NUMBER),
    "min": _least_of("min"),
    "max": _least_of("max"),
    "stddev": lambda x, _: Sql(f"ins_stddev({x.number})", Sort.NUMBER),
    "median": lambda x, _: Sql(f"ins_percentile({x.number}, 50)", Sort.NUMBER),
    "pct": lambda x, p: Sql(f"ins_percentile({x.number}, {p})", Sort.NUMBER),
    "percentile": lambda x, p: Sql(f"ins_percentile({x.number}, {p})", Sort.NUMBER),
    "earliest": lambda x, _: Sql(f"ins_earliest({x.text}, timestamp)", x.sort),
    "latest": lambda x, _: Sql(f"ins_latest({x.text}, timestamp)", x.sort),
    "sortsfirst": lambda x, _: Sql(f"min({x.text})", x.sort),
    "sortslast": lambda x, _: Sql(f"max({x.text})", x.sort),
}


def _simple(
    form: str, sort: Sort, least: int = 1, most: int | None = None, kind: str = "text"
) -> _Function:
    """A function of SQL: ``{}`` has all arguments, each as its ``kind``."""

    def made(node: Node, given: Sequence[Any], scope: Scope) -> Sql:
        if not least <= len(given) <= (least if most is None else most):
            raise problem(f"{node.children[0]} has another number of arguments", node)
        each = [getattr(expression(one, scope), kind) for one in given]
        return Sql(form.format(", ".join(each)), sort)

    return made


def _bin(node: Node, given: Sequence[Any], scope: Scope) -> Sql:
    if len(given) != 1:
        raise problem("bin has one argument, a period", node)
    width = milliseconds(given[0])
    return Sql(f"({scope.field('@timestamp').text} / {width} * {width})", Sort.TIME)


def _rounded(up: int) -> _Function:
    def made(node: Node, given: Sequence[Any], scope: Scope) -> Sql:
        if len(given) != 2:
            raise problem(f"{node.children[0]} has two arguments, a time and a period", node)
        at, width = expression(given[0], scope).number, milliseconds(given[1])
        return Sql(f"(({at} + {up * (width - 1)}) / {width} * {width})", Sort.TIME)

    return made


def _now(_: Node, __: Sequence[Any], scope: Scope) -> Sql:
    return Sql(f"{scope.now // 1000}", Sort.NUMBER)


_NUMBER, _TEXT = Sort.NUMBER, Sort.TEXT

FUNCTIONS: Mapping[str, _Function] = {
    "abs": _simple("abs({})", _NUMBER, kind="number"),
    "ceil": _simple("ins_ceil({})", _NUMBER, kind="number"),
    "floor": _simple("ins_floor({})", _NUMBER, kind="number"),
    "greatest": _simple("max({})", _NUMBER, 2, 50, kind="number"),
    "least": _simple("min({})", _NUMBER, 2, 50, kind="number"),
    "log": _simple("ins_log({})", _NUMBER, kind="number"),
    "sqrt": _simple("ins_sqrt({})", _NUMBER, kind="number"),
    "isempty": _simple("(coalesce({}, '') = '')", _NUMBER, kind="string"),
    "isblank": _simple("(trim(coalesce({}, '')) = '')", _NUMBER, kind="string"),
    "concat": _simple("ins_concat({})", _TEXT, 1, 50, kind="string"),
    "ltrim": _simple("ltrim({})", _TEXT, 1, 2, kind="string"),
    "rtrim": _simple("rtrim({})", _TEXT, 1, 2, kind="string"),
    "trim": _simple("trim({})", _TEXT, 1, 2, kind="string"),
    "strlen": _simple("length({})", _NUMBER, kind="string"),
    "toupper": _simple("upper({})", _TEXT, kind="string"),
    "tolower": _simple("lower({})", _TEXT, kind="string"),
    "substr": _simple("ins_substr({})", _TEXT, 2, 3),
    "replace": _simple("replace({})", _TEXT, 3, kind="string"),
    "strcontains": _simple("(instr({}) > 0)", _NUMBER, 2, kind="string"),
    "ispresent": _simple("({} IS NOT NULL)", _NUMBER),
    "coalesce": _simple("coalesce({})", Sort.ANY, 2, 50),
    "isvalidip": _simple("ins_is_ip({}, 0)", _NUMBER, kind="string"),
    "isvalidipv4": _simple("ins_is_ip({}, 4)", _NUMBER, kind="string"),
    "isvalidipv6": _simple("ins_is_ip({}, 6)", _NUMBER, kind="string"),
    "frommillis": _simple("({})", Sort.TIME, kind="number"),
    "tomillis": _simple("({})", _NUMBER, kind="number"),
    "bin": _bin,
    "datefloor": _rounded(0),
    "dateceil": _rounded(1),
    "now": _now,
}
