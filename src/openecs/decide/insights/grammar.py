"""The grammar of queries. Imported late: little else needs a parser."""

from __future__ import annotations

import re
from functools import cache

from lark import Lark, UnexpectedInput, UnexpectedToken

from openecs.decide.insights.problem import Node, QueryProblem

_NOT_BUILT = frozenset(
    [
        "pattern",
        "diff",
        "anomaly",
        "unmask",
        "unnest",
        "lookup",
        "join",
        "subquery",
        "filterindex",
        "source",
    ]
)

_GRAMMAR = r"""
start: command ("|" command)*

?command: "fields"i named ("," named)*                          -> fields
        | "display"i field ("," field)*                         -> display
        | "filter"i expression                                  -> filter
        | "stats"i named ("," named)* ["by"i groups]            -> stats
        | "sort"i ordered ("," ordered)*                        -> sort
        | "limit"i NUMBER                                       -> limit
        | "dedup"i field ("," field)*                           -> dedup
        | "parse"i expression STRING "as"i aliases              -> parse_glob
        | "parse"i expression REGEX ["as"i aliases]             -> parse_regex

groups: named ("," named)*
aliases: field ("," field)*
named: expression ["as"i field]
ordered: expression [DIRECTION]

?expression: conjunction | expression "or"i conjunction         -> or_
?conjunction: negation | conjunction "and"i negation            -> and_
?negation: comparison | "not"i negation                         -> not_
?comparison: sum
           | sum COMPARISON sum                                 -> compared
           | sum "like"i text                                   -> like
           | sum MATCHES text                                      -> like
           | sum "not"i "like"i text                            -> unlike
           | sum "in"i "[" items "]"                            -> in_
           | sum "not"i "in"i "[" items "]"                     -> not_in
text: STRING | REGEX
items: sum ("," sum)*
?sum: product | sum SIGN product                                -> calculated
?product: power | product FACTOR power                          -> calculated
?power: unary | unary POWER power                               -> calculated
?unary: atom | "-" unary                                        -> negative
?atom: NUMBER                                                   -> number
     | DURATION                                                 -> duration
     | STRING                                                   -> string
     | call
     | field
     | "(" expression ")"
call: NAME "(" [arguments] ")"
arguments: STAR | expression ("," expression)*
field: NAME | QUOTED

DIRECTION: "asc"i | "desc"i
MATCHES.3: "=~"
COMPARISON: "!=" | "<=" | ">=" | "=" | "<" | ">"
SIGN: "+" | "-"
FACTOR: "*" | "/" | "%"
POWER: "^"
STAR: "*"
NUMBER: /\d+(\.\d+)?/
DURATION.2: /\d+(ms|s|m|h|d|w)\b/
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
REGEX: /\/(?:[^\/\\\n]|\\.)+\//
QUOTED: /`[^`]+`/
NAME: /[@A-Za-z_][\w.@]*/

%ignore /\s+/
%ignore /#[^\n]*/
"""


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=True)


def read(text: str) -> Node:
    """The commands of a query. Raises ``QueryProblem``."""
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        is_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        at = len(text) if is_end else max(getattr(error, "pos_in_stream", None) or 0, 0)
        (found,) = re.findall(r"\A\w*", text[at:])
        if found.lower() in _NOT_BUILT:
            message = f"OpenECS does not build the command {found}"
        elif not text[at:].strip():
            message = "unexpected end of query"
        else:
            line = text.count("\n", 0, at) + 1
            column = at - text.rfind("\n", 0, at)
            message = (
                f"unexpected symbol found {found or text[at]} at line {line} and position {column}"
            )
        raise QueryProblem(message, at, at + max(len(found), 1)) from error
