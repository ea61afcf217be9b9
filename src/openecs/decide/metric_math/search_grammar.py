"""The grammar of searches. Imported late: only SEARCH needs the parser."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args

from openecs.decide.metric_math.search import AllOf, AnyOf, Condition, Not, Schema, Term, Wanted
from openecs.decide.metric_math.syntax import MathProblem

GRAMMAR = r"""
start: schema [","] [either] | either                   -> bare
schema: "{" _text ("," _text)* "}"
_text: QUOTED | PLAIN

?either: both | both ("OR" both)+                       -> any_of
?both: single | single ("AND"? single)+                 -> all_of
?single: NOT+ _held                                     -> negation
       | _held
_held: term | "(" either ")"
term: (QUOTED | PLAIN) ["=" (QUOTED | PLAIN)]

NOT: "NOT"
QUOTED: /"(?:[^"\\]|\\.)*"/s
PLAIN: /[^\s(){}",=]+/

%ignore /\s+/
"""

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
#: Parentheses within parentheses: searches are judged by recursion.
_DEEPEST = 30


@lru_cache(maxsize=256)
def read(text: str) -> Wanted:
    """Which metrics a text asks for. Raises ``MathProblem``."""
    depths = accumulate((each == "(") - (each == ")") for each in text)
    if max(depths, default=0) > _DEEPEST:
        raise MathProblem(f"more than {_DEEPEST} parentheses within one another in SEARCH")
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes it
    except UnexpectedInput as error:
        raise MathProblem("the search of SEARCH makes no sense") from error


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Makes conditions while the text is read."""

    def start(self, schema: Schema, condition: Condition | None) -> Wanted:
        return Wanted(schema, condition)

    def bare(self, condition: Condition) -> Wanted:
        return Wanted(None, condition)

    def schema(self, namespace: Token, *dimensions: Token) -> Schema:
        return Schema(_plain(namespace), frozenset(_plain(each) for each in dimensions))

    def any_of(self, *conditions: Condition) -> Condition:
        return AnyOf(conditions)

    def all_of(self, *conditions: Condition) -> Condition:
        return AllOf(conditions)

    def negation(self, *parts: Any) -> Condition:
        condition: Condition = parts[-1]
        return Not(condition) if len(parts) % 2 == 0 else condition

    def term(self, first: Token, second: Token | None) -> Condition:
        told = first if second is None else second
        name = None if second is None else _plain(first)
        return Term(_plain(told), told.type == "QUOTED", name)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="start", parser="lalr", transformer=_Reader())


def _plain(token: Token) -> str:
    return _ESCAPED.sub(r"\1", token[1:-1]) if token.type == "QUOTED" else str(token)
