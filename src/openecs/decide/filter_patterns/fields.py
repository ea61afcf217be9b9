"""Patterns of fields between spaces: ``[ip, user, ..., status = 4*, bytes > 1000]``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence

from openecs.decide.filter_patterns.expressions import AllOf, AnyOf, Compared, Expression, Field
from openecs.decide.filter_patterns.values import PatternProblem, Value, number_of

#: A field in quotes or brackets may have spaces in it.
_FIELD = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def taker(pattern: Sequence[Field]) -> Callable[[str], Mapping[str, str] | None]:
    """What tells whether a message is meant, and its fields. Raises ``PatternProblem``."""
    gaps = [number for number, field in enumerate(pattern) if field.name is None]
    if len(gaps) > 1:
        raise PatternProblem("it has more than one ellipsis")
    gap = gaps[0] if gaps else None
    names = [field.name for field in pattern if field.name is not None]
    conditions = [field.holds for field in pattern if field.holds is not None]

    def take(message: str) -> Mapping[str, str] | None:
        words = [next((w for w in found if w), "") for found in _FIELD.findall(message)]
        if len(words) < len(names) or (gap is None and len(words) > len(names)):
            return None
        if gap is not None:
            words = [*words[:gap], *words[len(words) - (len(names) - gap) :]]
        known = dict(zip(names, words, strict=True))
        if not all(_holds(condition, known) for condition in conditions):
            return None
        return {f"${name}": word for name, word in known.items()}

    return take


def _holds(expression: Expression, known: Mapping[str, str]) -> bool:
    match expression:
        case AllOf(parts):
            return all(_holds(part, known) for part in parts)
        case AnyOf(parts):
            return any(_holds(part, known) for part in parts)
        case Compared(name, comparison, value):
            word = known.get(name)
            return word is not None and _compare(word, comparison, value)


def _compare(word: str, comparison: str, value: Value) -> bool:
    number, limit = number_of(word), value.number
    if comparison in _ORDERS:
        return number is not None and limit is not None and _ORDERS[comparison](number, limit)
    both = number is not None and limit is not None
    is_equal = number == limit if both else value.is_match(word)
    return is_equal if comparison == "=" else not is_equal
