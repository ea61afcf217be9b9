"""Operators between scalars, time series and arrays of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from math import isnan, nan

from openecs.decide.metric_math.series import Frame, Series, Value, kind, mapped, paired
from openecs.decide.metric_math.syntax import MathProblem, Word


def _divided(left: float, right: float) -> float:
    return left / right if right else nan


def _raised(left: float, right: float) -> float:
    try:
        raised = left**right
    except (OverflowError, ZeroDivisionError):
        return nan
    return raised if isinstance(raised, float) else nan


def _truth(test: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    def told(left: float, right: float) -> float:
        if isnan(left) or isnan(right):
            return nan
        return 1.0 if test(left, right) else 0.0

    return told


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _raised,
    "==": _truth(operator.eq),
    "!=": _truth(operator.ne),
    "<": _truth(operator.lt),
    "<=": _truth(operator.le),
    ">": _truth(operator.gt),
    ">=": _truth(operator.ge),
    "AND": _truth(lambda left, right: left != 0 and right != 0),
    "OR": _truth(lambda left, right: left != 0 or right != 0),
}


def apply(frame: Frame, sign: str, left: Value, right: Value) -> Value:
    """``left sign right``. Raises ``MathProblem``."""
    join = _OPERATORS[sign]
    match left, right:
        case float(), float():
            return join(left, right)
        case Series(), Series():
            return paired(frame, left, right, join)
        case Series(), float():
            return mapped(frame, left, lambda value: join(value, right))
        case float(), Series():
            return mapped(frame, right, lambda value: join(left, value))
        case tuple(), float() | Series():
            return tuple(_named(apply(frame, sign, each, right), each) for each in left)
        case float() | Series(), tuple():
            return tuple(_named(apply(frame, sign, left, each), each) for each in right)
        case _:
            raise MathProblem(f"unsupported operands for {sign}: {kind(left)} and {kind(right)}")


def negated(frame: Frame, value: Value) -> Value:
    """``-value``. Raises ``MathProblem``."""
    if isinstance(value, str | Word):
        raise MathProblem(f"unsupported operand for -: {kind(value)}")
    return apply(frame, "*", -1.0, value)


def _named(made: Value, member: Series) -> Series:
    """What was made of a member of an array, which it goes by."""
    if not isinstance(made, Series):
        raise TypeError(made)
    return replace(made, label=member.label, metric=member.metric)
