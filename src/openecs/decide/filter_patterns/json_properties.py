"""Patterns of JSON: ``{ $.a.b[0] = "x*" && $.n >= 5 }``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from openecs.decide.filter_patterns.expressions import AllOf, AnyOf, Compared, Expression, names
from openecs.decide.filter_patterns.values import Value, number_of

_STEP = re.compile(r"""\.([\w-]+|\*)|\[(\d+|\*)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONSTANTS = {"TRUE": True, "FALSE": False, "NULL": None}
_Holds = Callable[[Any], bool]


def taker(expression: Expression) -> Callable[[str], Mapping[str, str] | None]:
    """What tells whether a message is meant, and the values that were looked at."""
    holds, selectors = _holds(expression), {name: _steps(name) for name in names(expression)}

    def take(message: str) -> Mapping[str, str] | None:
        try:
            document = msgspec.json.decode(message)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return None
        if not isinstance(document, dict | list) or not holds(document):
            return None
        found = {name: next(_found(document, steps), None) for name, steps in selectors.items()}
        return {name: _text(value) for name, value in found.items() if value is not None}

    return take


def value_of(message: str, selector: str) -> str | None:
    """The first value a selector finds in a message."""
    try:
        document = msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    found = next(_found(document, _steps(selector)), None)
    return None if found is None else _text(found)


def _holds(expression: Expression) -> _Holds:
    match expression:
        case AllOf(parts):
            every = [_holds(part) for part in parts]
            return lambda document: all(holds(document) for holds in every)
        case AnyOf(parts):
            some = [_holds(part) for part in parts]
            return lambda document: any(holds(document) for holds in some)
        case Compared(name, comparison, value):
            steps = _steps(name)
            if comparison == "MISSING":
                return lambda document: next(_found(document, steps), _found) is _found
            test = _test(comparison, value)
            return lambda document: any(test(each) for each in _found(document, steps))


def _test(comparison: str, value: Value) -> Callable[[Any], bool]:
    """Of one value in the document."""
    if comparison == "IS":
        constant = _CONSTANTS[value.text]
        return lambda given: given is constant
    if comparison in _ORDERS:
        order, limit = _ORDERS[comparison], value.number
        return lambda given: (
            limit is not None and (number := _number(given)) is not None and order(number, limit)
        )
    if comparison == "!=":
        return lambda given: not _is_equal(given, value)
    return lambda given: _is_equal(given, value)


def _is_equal(given: Any, value: Value) -> bool:
    if value.number is not None and (number := _number(given)) is not None:
        return number == value.number
    return value.is_match(_text(given))


def _number(given: Any) -> float | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, str):
        return number_of(given)
    try:
        return float(given) if isinstance(given, int | float) else None
    except OverflowError:
        return None


def _text(given: Any) -> str:
    return given if isinstance(given, str) else msgspec.json.encode(given).decode()


def _steps(selector: str) -> Sequence[str]:
    return [next(part for part in step if part) for step in _STEP.findall(selector) if any(step)]


def _found(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """The values at the end of a path; ``*`` is any of a list, or of an object."""
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        inner = list(value.values()) if step == "*" else [value[step]] if step in value else []
    elif isinstance(value, list):
        inner = value if step == "*" else _item(value, step)
    else:
        inner = []
    for each in inner:
        yield from _found(each, rest)


def _item(value: list[Any], step: str) -> list[Any]:
    return value[int(step) : int(step) + 1] if step.isascii() and step.isdigit() else []
