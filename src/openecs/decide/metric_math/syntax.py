"""What an expression is made of. Chains are flat, so that only brackets make a tree deep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


class MathProblem(Exception):
    """Why an expression makes no sense, for who wrote it."""


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """What stood in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Word:
    """What some functions are told by: AVG, DESC, REPEAT."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of a query."""

    id: str


@dataclass(frozen=True, slots=True)
class Listed:
    """``[a, b]``: an array of time series."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """``-a``."""

    node: Node


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one rank, from left to right: ``first``, and what comes behind it."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """``a ^ -b ^ c``, from right to left; each exponent, and whether it is negated."""

    base: Node
    exponents: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True, slots=True)
class Called:
    """A function of arguments."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Text | Word | Name | Listed | Negated | Chain | Power | Called


def walk(node: Node) -> Iterator[Node]:
    """A node and all that is in it."""
    yield node
    for each in _inside(node):
        yield from walk(each)


def names(node: Node) -> frozenset[str]:
    """The ids that an expression speaks of."""
    return frozenset(each.id for each in walk(node) if isinstance(each, Name))


def _inside(node: Node) -> tuple[Node, ...]:
    match node:
        case Listed(items):
            return items
        case Negated(inner):
            return (inner,)
        case Chain(first, rest):
            return (first, *(each for _, each in rest))
        case Power(base, exponents):
            return (base, *(each for _, each in exponents))
        case Called(_, arguments):
            return arguments
        case _:
            return ()
