"""What a cluster query says, as values. Reading text into them: ``query_grammar``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """The comparisons of the language, by symbol; each but ``in`` and ``exists`` has a word too."""

    EQUALS = "=="
    NOT_EQUALS = "!="
    GREATER_THAN = ">"
    GREATER_THAN_EQUAL = ">="
    LESS_THAN = "<"
    LESS_THAN_EQUAL = "<="
    EXISTS = "exists"
    NOT_EXISTS = "!exists"
    IN = "in"
    NOT_IN = "!in"
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One expression: the field as written, and its arguments (none for ``exists``)."""

    field: str
    operator: Operator
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where the term does not. Never directly around another ``Not``: the two cancel."""

    term: Query


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds where each of its terms, two or more, does."""

    terms: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds where one of its terms, two or more, does."""

    terms: tuple[Query, ...]


Query = Comparison | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a text is not a query, in a sentence for whoever wrote it."""

    message: str


def comparisons(query: Query) -> Iterator[Comparison]:
    """The comparisons of a query, from left to right."""
    match query:
        case Comparison():
            yield query
        case Not(term):
            yield from comparisons(term)
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from comparisons(term)
