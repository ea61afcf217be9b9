"""The grammar of the cluster query language. Imported late: only queries need the parser.

Here is syntax alone; whether a field takes an operator and an argument: ``query_fields``.
"""

from __future__ import annotations

from functools import cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from openecs.decide.placement.query_terms import (
    AllOf,
    AnyOf,
    Comparison,
    Not,
    Operator,
    Query,
    SyntaxProblem,
)

# A bare argument ends at what the language itself uses; a bare pattern may hold brackets, commas
# and a single | or &. The (?!...) behind a word keep it from being the start of a longer one.
GRAMMAR = r"""
?either: both
       | both (_OR both)+                                 -> any_of
?both: single
       | single (_AND single)+                            -> all_of
?single: _NOT single                                      -> negation
       | "(" either ")"
       | FIELD COMPARE (WORD | QUOTED)                    -> comparison
       | FIELD MATCH (PATTERN | QUOTED)                   -> comparison
       | FIELD MEMBER "[" _argument ("," _argument)* "]"  -> comparison
       | FIELD EXISTS                                     -> comparison
_argument: WORD | QUOTED

_OR: /\|\||or(?![^\s!(])/
_AND: /&&|and(?![^\s!(])/
_NOT.1: /!|not(?![^\s!(])/

FIELD: /[^\s()\[\],'"=!<>~&|]+/
COMPARE: /[=!]=|[<>]=?|(?:(?:not_)?equals|(?:greater|less)_than(?:_equal)?)(?![^\s'"])/
MATCH: /[=!]~|(?:not_)?matches(?![^\s'"])/
MEMBER: /(?:!|not_)?in(?![^\s\[])/
EXISTS: /(?:!|not_)?exists(?![^\s)&|])/

WORD: /(?:[^\s()\[\],'"&|]|&(?!&)|\|(?!\|))+/
PATTERN: /(?:[^\s()'"&|]|&(?!&)|\|(?!\|))+/
QUOTED: /'[^']*'|"[^"]*"/

%ignore /\s+/
"""

SYMBOLS = {
    "equals": Operator.EQUALS,
    "not_equals": Operator.NOT_EQUALS,
    "greater_than": Operator.GREATER_THAN,
    "greater_than_equal": Operator.GREATER_THAN_EQUAL,
    "less_than": Operator.LESS_THAN,
    "less_than_equal": Operator.LESS_THAN_EQUAL,
    "not_exists": Operator.NOT_EXISTS,
    "not_in": Operator.NOT_IN,
    "matches": Operator.MATCHES,
    "not_matches": Operator.NOT_MATCHES,
}


def read(text: str) -> Query | SyntaxProblem:
    """The query a text spells, or where it stops making sense."""
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes a Query
    except UnexpectedInput as error:
        return SyntaxProblem(_place(text, error))


@v_args(inline=True)
class _Terms(Transformer[Token, Query]):
    """Builds terms while the text is read, so that no depth of parentheses needs recursion."""

    def any_of(self, *terms: Query) -> Query:
        return AnyOf(terms)

    def all_of(self, *terms: Query) -> Query:
        return AllOf(terms)

    def negation(self, term: Query) -> Query:
        return term.term if isinstance(term, Not) else Not(term)

    def comparison(self, field: Token, operator: Token, *arguments: Token) -> Query:
        return Comparison(
            field=str(field),
            operator=SYMBOLS.get(operator) or Operator(operator),
            arguments=tuple(map(_plain, arguments)),
        )


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="either", parser="lalr", transformer=_Terms())


def _plain(argument: Token) -> str:
    return argument[1:-1] if argument.type == "QUOTED" else str(argument)


def _place(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return "The expression ends too early."
    position = cast(int, error.pos_in_stream)  # the library declares it without a type
    rest = text[position:].split(maxsplit=1)[0]
    return f"Unexpected {rest[:40]!r} at character {position + 1}."
