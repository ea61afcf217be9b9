"""What stands in braces and brackets, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openecs.decide.filter_patterns.values import Value


@dataclass(frozen=True, slots=True)
class Compared:
    """``name`` is a selector or a field; ``comparison`` as it is written, or IS, or MISSING."""

    name: str
    comparison: str
    value: Value


@dataclass(frozen=True, slots=True)
class AllOf:
    """All hold."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One holds."""

    parts: tuple[Expression, ...]


Expression = Compared | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Field:
    """One of the fields; None: any number of them."""

    name: str | None
    holds: Expression | None = None


def names(expression: Expression) -> Sequence[str]:
    """The names that an expression compares, in order, each once."""
    if isinstance(expression, Compared):
        return [expression.name]
    return list(dict.fromkeys(name for part in expression.parts for name in names(part)))
