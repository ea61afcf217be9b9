"""The grammar of what stands in braces and brackets. Imported late: terms need no parser."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from openecs.decide.filter_patterns.expressions import (
    AllOf,
    AnyOf,
    Compared,
    Expression,
    Field,
    names,
)
from openecs.decide.filter_patterns.values import PatternProblem, Value, bare, quoted, regex

_COMMON = r"""
?either: both | both ("||" both)+         -> any_of
?both: single | single ("&&" single)+     -> all_of
?single: "(" either ")" | condition
value: QUOTED -> quoted | REGEX -> regex | BARE -> bare

COMPARISON: "!=" | "<=" | ">=" | "=" | "<" | ">"
QUOTED: /"(?:[^"\\]|\\.)*"/
REGEX: /%[^%]+%/
BARE: /[^\s(){}"%&|=<>!\[\],]+/

%ignore /\s+/
"""

_JSON = (
    r"""
start: "{" either "}"
condition: SELECTOR COMPARISON value                     -> compared
         | SELECTOR "IS" CONSTANT                        -> compared_with
         | SELECTOR "NOT" "EXISTS"                       -> missing

SELECTOR: /\$(?:\.[\w-]+|\.\*|\[\d{1,9}\]|\[\*\]|\['[^']*'\]|\["[^"]*"\])*/
CONSTANT: "TRUE" | "FALSE" | "NULL"
"""
    + _COMMON
)

_FIELDS = (
    r"""
start: "[" field ("," field)* "]"
field: ELLIPSIS -> some | NAME -> named | either -> held
condition: NAME COMPARISON value                         -> compared

ELLIPSIS: "..."
NAME: /[\w@$-]+/
"""
    + _COMMON
)

#: Parentheses within parentheses: patterns are judged by recursion.
_DEEPEST = 50


def json(text: str) -> Expression:
    """What stands in braces. Raises ``PatternProblem``."""
    found: Expression = _read(_JSON, text)
    return found


def fields(text: str) -> Sequence[Field]:
    """What stands in brackets. Raises ``PatternProblem``."""
    found: Sequence[Field] | Field = _read(_FIELDS, text)
    return [found] if isinstance(found, Field) else found


def _read(grammar: str, text: str) -> Any:
    depths = accumulate((each == "(") - (each == ")") for each in text)
    if max(depths, default=0) > _DEEPEST:
        raise PatternProblem(f"more than {_DEEPEST} parentheses within one another")
    try:
        return _Reader().transform(_parser(grammar).parse(text))
    except UnexpectedInput as error:
        place = getattr(error, "column", -1)
        where = f"at character {place}" if place > 0 else "at its end"
        raise PatternProblem(f"it makes no sense {where}") from error
    except VisitError as error:
        raise error.orig_exc from error


@cache
def _parser(grammar: str) -> Lark:
    return Lark(grammar, parser="lalr")


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Makes expressions."""

    def start(self, *parts: Any) -> Any:
        return parts if len(parts) > 1 else parts[0]

    def any_of(self, *parts: Expression) -> Expression:
        return AnyOf(parts)

    def all_of(self, *parts: Expression) -> Expression:
        return AllOf(parts)

    def compared(self, name: Token, comparison: Token, value: Value) -> Expression:
        return Compared(str(name), str(comparison), value)

    def compared_with(self, name: Token, constant: Token) -> Expression:
        return Compared(str(name), "IS", bare(str(constant)))

    def missing(self, name: Token) -> Expression:
        return Compared(str(name), "MISSING", bare(""))

    def quoted(self, token: Token) -> Value:
        return quoted(token)

    def regex(self, token: Token) -> Value:
        return regex(token)

    def bare(self, token: Token) -> Value:
        return bare(token)

    def some(self, _: Token) -> Field:
        return Field(None)

    def named(self, name: Token) -> Field:
        return Field(str(name))

    def held(self, expression: Expression) -> Field:
        return Field(names(expression)[0], expression)
