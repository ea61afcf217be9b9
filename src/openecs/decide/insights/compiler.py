"""From a query to SQL: every command makes a step of what the one before has left."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lark import Tree

from openecs.decide.insights import grammar
from openecs.decide.insights.expressions import (
    Scope,
    Sort,
    Sql,
    checked,
    expression,
    name_of,
    problem,
    regex_of,
    text_of,
)
from openecs.decide.insights.functions import aggregate
from openecs.decide.insights.problem import Node, QueryProblem
from openecs.model.log_queries import Compiled

_SYSTEM = {
    "@timestamp": Sql("timestamp", Sort.TIME),
    "@ingestionTime": Sql("ingested", Sort.TIME),
    "@message": Sql("message", Sort.TEXT),
    "@logStream": Sql("stream", Sort.TEXT),
    "@log": Sql("log", Sort.TEXT),
    "@ptr": Sql("ptr", Sort.TEXT),
}
_MOST_COMMANDS = 60


def compiled(text: str, most: int, now: int) -> Compiled:
    """The SQL of a query over ``source``, of at most so many rows. Raises ``QueryProblem``."""
    try:
        return _compiled(grammar.read(text), most, now)
    except RecursionError as error:
        raise QueryProblem("the query is too deep", 0, len(text)) from error


def _compiled(tree: Node, most: int, now: int) -> Compiled:
    if len(tree.children) > _MOST_COMMANDS:
        raise problem(f"a query has at most {_MOST_COMMANDS} commands", tree)
    steps = _Steps(now)
    for command in tree.children:
        _COMMANDS[command.data](steps, command)
    return steps.compiled(most)


class _Steps:
    """What the commands have come to so far."""

    def __init__(self, now: int) -> None:
        self.scope = Scope(now=now, columns=dict(_SYSTEM))
        self.shown: list[str] = []
        self.order: list[str] = ["timestamp DESC", "id DESC"]
        self._steps: list[str] = []
        self._columns = 0

    @property
    def last(self) -> str:
        """The name of the last step."""
        return f"s{len(self._steps)}" if self._steps else "source"

    def add(self, sql: str) -> None:
        """Make a step."""
        self._steps.append(sql)

    def column(self) -> str:
        """A name that no column has."""
        self._columns += 1
        return f"c{self._columns}"

    def extend(self, columns: Sequence[tuple[str, Sql]]) -> None:
        """Have more fields."""
        names = [self.column() for _ in columns]
        made = [f"{s.text} AS {name}" for name, (_, s) in zip(names, columns, strict=True)]
        self.add(f"SELECT *, {', '.join(made)} FROM {self.last}")
        for name, (known, sql) in zip(names, columns, strict=True):
            self.scope.columns[known] = Sql(name, sql.sort)

    def show(self, names: Sequence[str]) -> None:
        """Tell these fields besides."""
        self.shown += [name for name in names if name not in self.shown]

    def compiled(self, most: int) -> Compiled:
        """All steps, and what is told of the last."""
        has_events = self.scope.message
        shown = self.shown or (["@timestamp", "@message"] if has_events else [])
        names = [*shown, "@ptr"] if has_events and "@ptr" not in shown else shown
        found = [self.scope.field(name) for name in names]
        told = ", ".join(f"{sql.text} AS r{number}" for number, sql in enumerate(found))
        # A step knows those before it by their names.
        chain = [f"s{number} AS ({sql})" for number, sql in enumerate(self._steps, 1)]
        order = f" ORDER BY {', '.join(self.order)}" if self.order else ""
        final = f"SELECT {told} FROM {self.last}{order} LIMIT {self.scope.given(most)}"
        return Compiled(
            steps=", ".join(chain),
            final=final,
            parameters=self.scope.parameters,
            columns=tuple(names),
            times=frozenset(
                n for n, sql in zip(names, found, strict=True) if sql.sort is Sort.TIME
            ),
        )


def _named(node: Node) -> tuple[str, Any]:
    inner, alias = node.children
    if alias is not None:
        return name_of(alias), inner
    if inner.data == "field":
        return name_of(inner), inner
    return _written(inner), inner


def _written(node: Any) -> str:
    """An expression as one writes it, without blanks, as AWS names its column."""
    words = [str(token) for token in node.scan_values(lambda _: True)]
    if isinstance(node, Tree) and node.data == "call":
        inside = ", ".join(_written(a) if isinstance(a, Tree) else str(a) for a in _inside(node))
        return f"{node.children[0]}({inside})"
    return " ".join(words)


def _inside(node: Node) -> Sequence[Any]:
    given = node.children[1]
    return given.children if isinstance(given, Tree) else ()


def _fields(steps: _Steps, command: Node) -> None:
    named = [_named(each) for each in command.children]
    made = [(name, expression(inner, steps.scope)) for name, inner in named]
    new = [pair for pair, (name, inner) in zip(made, named, strict=True) if _is_new(name, inner)]
    if new:
        steps.extend(new)
    steps.show([name for name, _ in made])


def _is_new(name: str, node: Any) -> bool:
    return not (isinstance(node, Tree) and node.data == "field" and name_of(node) == name)


def _display(steps: _Steps, command: Node) -> None:
    steps.shown = [name_of(each) for each in command.children]


def _filter(steps: _Steps, command: Node) -> None:
    condition = expression(command.children[0], steps.scope)
    steps.add(f"SELECT * FROM {steps.last} WHERE {condition.text}")


def _stats(steps: _Steps, command: Node) -> None:
    *given, by = command.children
    if not steps.scope.message:
        raise problem("OpenECS builds one stats command in a query", command)
    scope = steps.scope
    groups = [_named(each) for each in (by.children if by is not None else ())]
    keys = [(name, expression(inner, scope)) for name, inner in groups]
    results = []
    for each in given:
        name, inner = _named(each)
        found = aggregate(inner, scope)
        if found is None:
            raise problem("stats has functions of many events: count, sum, avg ...", inner)
        results.append((name, found))
    names = [steps.column() for _ in (*keys, *results)]
    made = [
        f"{sql.text} AS {column}" for column, (_, sql) in zip(names, (*keys, *results), strict=True)
    ]
    grouped = f" GROUP BY {', '.join(names[: len(keys)])}" if keys else ""
    steps.add(f"SELECT {', '.join(made)} FROM {steps.last}{grouped}")
    scope.columns = {
        name: Sql(column, sql.sort)
        for column, (name, sql) in zip(names, (*keys, *results), strict=True)
    }
    scope.message = False
    steps.shown = [name for name, _ in (*keys, *results)]
    steps.order = [f"{names[0]} DESC"] if keys and keys[0][1].sort is Sort.TIME else []


def _sort(steps: _Steps, command: Node) -> None:
    order, made = [], []
    for each in command.children:
        inner, direction = each.children
        found = aggregate(inner, steps.scope)
        sql = steps.scope.columns.get(_written(inner)) or (
            Sql("NULL") if found else expression(inner, steps.scope)
        )
        column = steps.column()
        made.append(
            f"ins_order({sql.text}) AS {column}"
            if sql.sort is Sort.ANY
            else f"{sql.text} AS {column}"
        )
        order.append(f"{column} {'DESC' if str(direction).lower() == 'desc' else 'ASC'}")
    steps.add(f"SELECT *, {', '.join(made)} FROM {steps.last}")
    steps.order = order


def _limit(steps: _Steps, command: Node) -> None:
    word = str(command.children[0])
    if not word.isdigit() or not 0 < int(word) <= 100_000:
        raise problem("limit is a whole number from 1 to 100000", command)
    order = f" ORDER BY {', '.join(steps.order)}" if steps.order else ""
    steps.add(f"SELECT * FROM {steps.last}{order} LIMIT {int(word)}")


def _dedup(steps: _Steps, command: Node) -> None:
    keys = [steps.scope.field(name_of(each)).text for each in command.children]
    column = steps.column()
    order = f" ORDER BY {', '.join(steps.order)}" if steps.order else ""
    number = f"row_number() OVER (PARTITION BY {', '.join(keys)}{order})"
    steps.add(f"SELECT *, {number} AS {column} FROM {steps.last}")
    present = " OR ".join(f"{key} IS NULL" for key in keys)
    steps.add(f"SELECT * FROM {steps.last} WHERE {column} = 1 OR {present}")


def _parse_glob(steps: _Steps, command: Node) -> None:
    subject, text, aliases = command.children
    parts = text_of(text).split("*")
    names = [name_of(each) for each in aliases.children]
    if len(parts) - 1 != len(names):
        raise problem("parse has a name for each * of its pattern", command)
    value, given = expression(subject, steps.scope).string, steps.scope.given("\0".join(parts))
    made = [(n, Sql(f"ins_glob({given}, {value}, {i})")) for i, n in enumerate(names)]
    steps.extend(made)
    steps.show(names)


def _parse_regex(steps: _Steps, command: Node) -> None:
    subject, token, aliases = command.children
    pattern = regex_of(token)
    names = re.findall(r"\(\?P<(\w+)>", pattern)
    if aliases is not None:
        names = [name_of(each) for each in aliases.children]
    if not names:
        raise problem("parse has named groups, (?<name>...), or names behind as", command)
    _parsed(steps, subject, pattern, names, command)


def _parsed(steps: _Steps, subject: Any, pattern: str, names: Sequence[str], node: Node) -> None:
    checked(pattern, node)
    text, given = expression(subject, steps.scope).string, steps.scope.given(pattern)
    named = f"(?P<{names[0]}>" in pattern
    groups = [steps.scope.given(each) if named else str(n) for n, each in enumerate(names, 1)]
    steps.extend(
        [
            (name, Sql(f"ins_group({given}, {text}, {group})"))
            for name, group in zip(names, groups, strict=True)
        ]
    )
    steps.show(names)


_COMMANDS: Mapping[str, Callable[[_Steps, Node], None]] = {
    "fields": _fields,
    "display": _display,
    "filter": _filter,
    "stats": _stats,
    "sort": _sort,
    "limit": _limit,
    "dedup": _dedup,
    "parse_glob": _parse_glob,
    "parse_regex": _parse_regex,
}
