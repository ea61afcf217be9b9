"""Expressions of queries as SQL of SQLite's; what is not SQLite's own is named ``ins_...``.

Every text of a query is a parameter: none gets into the SQL itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lark import Tree

from openecs.decide.insights.problem import Node, QueryProblem

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
#: Ordinary characters alone: what has no others is looked for as it is.
_PLAIN = re.compile(r"[\w\s@:,;=<>'\"&%!~#-]+")


class Sort(StrEnum):
    """What an expression comes to, as far as one can tell."""

    ANY = "any"
    NUMBER = "number"
    TEXT = "text"
    #: Milliseconds since the epoch.
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression."""

    text: str
    sort: Sort = Sort.ANY

    @property
    def number(self) -> str:
        """It as a number; what is none is NULL."""
        if self.sort in {Sort.NUMBER, Sort.TIME}:
            return self.text
        return f"ins_number({self.text})"

    @property
    def string(self) -> str:
        """It as a text."""
        return self.text if self.sort is Sort.TEXT else f"CAST({self.text} AS TEXT)"


@dataclass(slots=True)
class Scope:
    """The fields that there are, and the parameters so far.

    ``message``: whether fields that nobody made are looked for in the message.
    """

    now: int
    columns: dict[str, Sql] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    message: bool = True

    def given(self, value: Any) -> str:
        """A value, as a parameter."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def field(self, name: str) -> Sql:
        """A field; one that is nowhere is NULL."""
        if name in self.columns:
            return self.columns[name]
        if not self.message or name.startswith("@"):
            return Sql("NULL")
        path = self.given("$" + "".join(map(_step, name.split("."))))
        return Sql(f"CASE WHEN json_valid(message) THEN json_extract(message, {path}) END")


def name_of(node: Node) -> str:
    """The name of a field."""
    return str(node.children[0]).strip("`")


def text_of(token: Any) -> str:
    """What a quoted text says."""
    return re.sub(r"\\(.)", r"\1", str(token)[1:-1], flags=re.DOTALL)


def regex_of(token: Any) -> str:
    """What stands between slashes, for RE2."""
    return re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", str(token)[1:-1].replace("\\/", "/"))


def expression(node: Node, scope: Scope) -> Sql:
    """An expression as SQL. Raises ``QueryProblem``."""
    return _BY_RULE[node.data](node, scope)


def milliseconds(node: Any) -> int:
    """How long ``5m`` is. Raises ``QueryProblem``."""
    if isinstance(node, Tree) and node.data == "duration":
        found = re.fullmatch(r"(\d+)(\w+)", str(node.children[0]))
        if found and int(found[1]):
            return int(found[1]) * _UNITS[found[2]]
    raise problem("a period like 5m is wanted", node)


def problem(message: str, node: Any) -> QueryProblem:
    """What is wrong, and where."""
    meta = getattr(node, "meta", None)
    if meta is None or meta.empty:
        return QueryProblem(message)
    return QueryProblem(message, meta.start_pos, meta.end_pos)


def _step(part: str) -> str:
    if part.isdigit():
        return f"[{part}]"
    return '."' + part.replace('"', '\\"') + '"'


def _both(word: str) -> Callable[[Node, Scope], Sql]:
    def joined(node: Node, scope: Scope) -> Sql:
        left, right = (expression(child, scope) for child in node.children)
        return Sql(f"({left.text} {word} {right.text})", Sort.NUMBER)

    return joined


def _not(node: Node, scope: Scope) -> Sql:
    inner = expression(node.children[0], scope)
    return Sql(f"(NOT coalesce({inner.text}, 0))", Sort.NUMBER)


def _compared(node: Node, scope: Scope) -> Sql:
    left, sign, right = node.children
    pair = expression(left, scope), expression(right, scope)
    return Sql(_comparison(pair[0], str(sign), pair[1]), Sort.NUMBER)


def _comparison(left: Sql, sign: str, right: Sql) -> str:
    sorts = {left.sort, right.sort}
    if sorts & {Sort.NUMBER, Sort.TIME}:
        here, there = left.number, right.number
    elif Sort.TEXT in sorts:
        here, there = left.string, right.string
    else:
        here, there = left.text, right.text
    if sign == "!=":
        return f"({here} IS NOT {there})"
    return f"({here} {sign} {there})"


def _like(node: Node, scope: Scope) -> Sql:
    left, right = node.children[0], node.children[-1]
    token = right.children[0]
    subject = expression(left, scope).string
    if token.type == "STRING":
        return Sql(f"(instr({subject}, {scope.given(text_of(token))}) > 0)", Sort.NUMBER)
    pattern = regex_of(token)
    if _PLAIN.fullmatch(pattern):
        return Sql(f"(instr({subject}, {scope.given(pattern)}) > 0)", Sort.NUMBER)
    return Sql(f"ins_match({scope.given(checked(pattern, right))}, {subject})", Sort.NUMBER)


def _unlike(node: Node, scope: Scope) -> Sql:
    return Sql(f"(NOT coalesce({_like(node, scope).text}, 0))", Sort.NUMBER)


def _in(node: Node, scope: Scope) -> Sql:
    left, items = node.children
    subject = expression(left, scope)
    pairs = [_comparison(subject, "=", expression(each, scope)) for each in items.children]
    return Sql(f"({' OR '.join(pairs)})", Sort.NUMBER)


def _not_in(node: Node, scope: Scope) -> Sql:
    return Sql(f"(NOT coalesce({_in(node, scope).text}, 0))", Sort.NUMBER)


def _calculated(node: Node, scope: Scope) -> Sql:
    left, sign, right = node.children
    here, there = expression(left, scope).number, expression(right, scope).number
    match str(sign):
        case "^":
            return Sql(f"ins_power({here}, {there})", Sort.NUMBER)
        case "/":
            return Sql(f"(CAST({here} AS REAL) / {there})", Sort.NUMBER)
        case "%":
            return Sql(f"ins_modulo({here}, {there})", Sort.NUMBER)
        case word:
            return Sql(f"({here} {word} {there})", Sort.NUMBER)


def _negative(node: Node, scope: Scope) -> Sql:
    return Sql(f"(-{expression(node.children[0], scope).number})", Sort.NUMBER)


def _number(node: Node, scope: Scope) -> Sql:
    word = str(node.children[0])
    if len(word) > 15:
        raise problem("a number of at most 15 digits is wanted", node)
    return Sql(scope.given(float(word) if "." in word else int(word)), Sort.NUMBER)


def _string(node: Node, scope: Scope) -> Sql:
    return Sql(scope.given(text_of(node.children[0])), Sort.TEXT)


def _duration(node: Node, _: Scope) -> Sql:
    raise problem("a period stands in bin, datefloor and dateceil only", node)


def _field(node: Node, scope: Scope) -> Sql:
    return scope.field(name_of(node))


def _call(node: Node, scope: Scope) -> Sql:
    from openecs.decide.insights.functions import FUNCTIONS

    name = str(node.children[0])
    function = FUNCTIONS.get(name.lower())
    if function is None:
        raise problem(f"OpenECS does not know the function {name}", node)
    return function(node, arguments(node), scope)


def arguments(node: Node) -> Sequence[Any]:
    """The arguments of a call."""
    given = node.children[1]
    return given.children if isinstance(given, Tree) else ()


def checked(pattern: str, node: Any) -> str:
    """A regular expression that RE2 reads. Raises ``QueryProblem``."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise problem(f"invalid regular expression: {told}", node) from error
    return pattern


_BY_RULE: Mapping[str, Callable[[Node, Scope], Sql]] = {
    "or_": _both("OR"),
    "and_": _both("AND"),
    "not_": _not,
    "compared": _compared,
    "like": _like,
    "unlike": _unlike,
    "in_": _in,
    "not_in": _not_in,
    "calculated": _calculated,
    "negative": _negative,
    "number": _number,
    "string": _string,
    "duration": _duration,
    "call": _call,
    "field": _field,
}
