"""The grammar of expressions. Imported late: only expressions need the parser."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import accumulate
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

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
)

GRAMMAR = r"""
?either: both | both (OR both)+                         -> chain
?both: compared | compared (AND compared)+              -> chain
?compared: added | added (COMPARISON added)+            -> chain
?added: multiplied | multiplied (SIGN multiplied)+      -> chain
?multiplied: signed | signed (TIMES signed)+            -> chain
?signed: power | SIGN+ power                            -> signed
?power: single | single exponent+                       -> power
exponent: "^" SIGN* single
?single: NUMBER                                         -> number
       | QUOTED                                         -> text
       | ID                                             -> name
       | WORD                                           -> word
       | WORD "(" [either ("," either)*] ")"            -> called
       | "[" either ("," either)* "]"                   -> listed
       | "(" either ")"

OR: "OR" | "||"
AND: "AND" | "&&"
COMPARISON: "==" | "!=" | "<=" | ">=" | "<" | ">"
SIGN: "+" | "-"
TIMES: "*" | "/"
NUMBER: /([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?/
QUOTED: /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/s
ID: /[a-z][a-zA-Z0-9_]*/
WORD: /[A-Z][A-Z0-9_]*/

%ignore /\s+/
"""

#: Brackets within brackets: expressions are evaluated by recursion.
_DEEPEST = 30
_LONGEST = 2048
_TOO_EARLY = "it ends too early"


@lru_cache(maxsize=256)
def read(text: str) -> Node:
    """The expression a text spells. Raises ``MathProblem``."""
    if len(text) > _LONGEST:
        raise MathProblem(f"it has more than {_LONGEST} characters")
    if text.lstrip()[:6].upper() == "SELECT":
        raise MathProblem("OpenECS does not build Metrics Insights queries (SELECT)")
    if _depth(text) > _DEEPEST:
        raise MathProblem(f"more than {_DEEPEST} brackets within one another")
    try:
        return _parser().parse(text)  # type: ignore[return-value]  # the transformer makes a Node
    except UnexpectedInput as error:
        raise MathProblem(_place(text, error)) from error


@v_args(inline=True)
class _Nodes(Transformer[Token, Node]):
    """Builds nodes while the text is read."""

    def chain(self, first: Node, *rest: Token | Node) -> Node:
        pairs = zip(rest[::2], rest[1::2], strict=True)
        return Chain(first, tuple((_operator(str(op)), cast(Node, node)) for op, node in pairs))

    def signed(self, *parts: Token | Node) -> Node:
        node = cast(Node, parts[-1])
        return Negated(node) if _is_negated(parts[:-1]) else node

    def exponent(self, *parts: Token | Node) -> tuple[bool, Node]:
        return _is_negated(parts[:-1]), cast(Node, parts[-1])

    def power(self, base: Node, *exponents: tuple[bool, Node]) -> Node:
        return Power(base, exponents)

    def number(self, token: Token) -> Node:
        return Number(float(token))

    def text(self, token: Token) -> Node:
        return Text(token[1:-1].replace(f"\\{token[0]}", token[0]))

    def name(self, token: Token) -> Node:
        return Name(str(token))

    def word(self, token: Token) -> Node:
        return Word(str(token))

    def called(self, function: Token, *arguments: Node | None) -> Node:
        return Called(str(function), tuple(each for each in arguments if each is not None))

    def listed(self, *items: Node) -> Node:
        return Listed(items)


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, start="either", parser="lalr", transformer=_Nodes())


def _operator(text: str) -> str:
    return {"&&": "AND", "||": "OR"}.get(text, text)


def _is_negated(signs: tuple[Token | Node, ...]) -> bool:
    return [str(sign) for sign in signs].count("-") % 2 == 1


def _place(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _TOO_EARLY
    position = cast(int, error.pos_in_stream)  # the library declares it without a type
    rest = text[position:].split(maxsplit=1)[0]
    return f"unexpected {rest[:40]!r} at character {position + 1}"


def _depth(text: str) -> int:
    depths = accumulate((each in "([") - (each in ")]") for each in text)
    return max(depths, default=0)
