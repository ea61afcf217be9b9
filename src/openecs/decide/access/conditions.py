"""Conditions of statements.

IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple
context keys or values". What cannot be judged (a number that is none) is None: whoever asks then
decides against the caller.
"""

from __future__ import annotations

import ipaddress
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import eq, ge, gt, le, lt
from typing import Any

from openecs.decide.access.patterns import Context, glob, matches
from openecs.model.policies import Condition


@dataclass(frozen=True, slots=True)
class Operator:
    """``test(policy's value, request's value)``; None where that makes no sense."""

    test: Callable[[str, str], bool | None]
    #: Whether it holds where the test does not, and for keys that are not there.
    negated: bool = False
    #: Whether the policy's value is handed over with its wildcards, as a pattern of characters.
    takes_wildcards: bool = False


def _comparing(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool]
) -> Callable[[str, str], bool | None]:
    """A test of the request's value against the policy's, both read first."""

    def test(wanted: str, given: str) -> bool | None:
        limit, value = read(wanted), read(given)
        return None if limit is None else value is not None and compare(value, limit)

    return test


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value else None  # noqa: PLR0124  (not a number equals nothing)


def _moment(text: str) -> float | None:
    if (epoch := _number(text)) is not None:
        return epoch
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _bytes(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None


def _is_in_network(wanted: str, given: str) -> bool | None:
    try:
        network = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return False
    return address in network


def _same_case(text: str) -> str:
    return text.casefold()


_EQUAL = _comparing(str, eq)
_EQUAL_IGNORING_CASE = _comparing(_same_case, eq)

OPERATORS = {
    "StringEquals": Operator(_EQUAL),
    "StringNotEquals": Operator(_EQUAL, negated=True),
    "StringEqualsIgnoreCase": Operator(_EQUAL_IGNORING_CASE),
    "StringNotEqualsIgnoreCase": Operator(_EQUAL_IGNORING_CASE, negated=True),
    "StringLike": Operator(_EQUAL, takes_wildcards=True),
    "StringNotLike": Operator(_EQUAL, negated=True, takes_wildcards=True),
    "ArnEquals": Operator(_EQUAL, takes_wildcards=True),
    "ArnLike": Operator(_EQUAL, takes_wildcards=True),
    "ArnNotEquals": Operator(_EQUAL, negated=True, takes_wildcards=True),
    "ArnNotLike": Operator(_EQUAL, negated=True, takes_wildcards=True),
    "NumericEquals": Operator(_comparing(_number, eq)),
    "NumericNotEquals": Operator(_comparing(_number, eq), negated=True),
    "NumericLessThan": Operator(_comparing(_number, lt)),
    "NumericLessThanEquals": Operator(_comparing(_number, le)),
    "NumericGreaterThan": Operator(_comparing(_number, gt)),
    "NumericGreaterThanEquals": Operator(_comparing(_number, ge)),
    "DateEquals": Operator(_comparing(_moment, eq)),
    "DateNotEquals": Operator(_comparing(_moment, eq), negated=True),
    "DateLessThan": Operator(_comparing(_moment, lt)),
    "DateLessThanEquals": Operator(_comparing(_moment, le)),
    "DateGreaterThan": Operator(_comparing(_moment, gt)),
    "DateGreaterThanEquals": Operator(_comparing(_moment, ge)),
    "Bool": Operator(_comparing(_truth, eq)),
    "BinaryEquals": Operator(_comparing(_bytes, eq)),
    "IpAddress": Operator(_is_in_network),
    "NotIpAddress": Operator(_is_in_network, negated=True),
}
#: Whether the key is absent: the one operator that is not about values.
NULL = "Null"


def holds(condition: Condition, context: Context, *, has_variables: bool = True) -> bool | None:
    """Whether the condition is met; None where it cannot be judged."""
    given = context.get(condition.key.lower())
    if condition.operator == NULL:
        return _any(_equals_absence(value, absent=given is None) for value in condition.values)
    operator = OPERATORS[condition.operator]
    if not given:
        return _without_value(condition, operator)
    tests = _Tests(condition, operator, context, has_variables)
    met = [tests.holds_for(value) for value in given]
    return _all(met) if condition.quantifier == "ForAllValues" else _any(met)


@dataclass(frozen=True, slots=True)
class _Tests:
    """The values of a condition, to be held against one of the request at a time."""

    condition: Condition
    operator: Operator
    context: Context
    has_variables: bool

    def holds_for(self, given: str) -> bool | None:
        """Whether the request's value is one that the condition wants."""
        met = _any(self._test(wanted, given) for wanted in self.condition.values)
        return met if met is None or not self.operator.negated else not met

    def _test(self, wanted: str, given: str) -> bool | None:
        if not self.operator.takes_wildcards and "${" not in wanted:
            return self.operator.test(wanted, given)
        pattern = glob(wanted, self.context, has_variables=self.has_variables)
        if pattern is None:
            return False
        if not self.operator.takes_wildcards:
            plain = "".join(p if isinstance(p, str) else p.value for p in pattern)
            return self.operator.test(plain, given)
        if self.condition.operator.startswith("Arn"):
            return _matches_arn(pattern, given)
        return matches(pattern, given)


def _without_value(condition: Condition, operator: Operator) -> bool:
    """What holds of a key that is not there, or has no value."""
    if condition.if_exists or condition.quantifier == "ForAllValues":
        return True
    return operator.negated and condition.quantifier != "ForAnyValue"


def _equals_absence(value: str, *, absent: bool) -> bool | None:
    wanted = _truth(value)
    return None if wanted is None else wanted == absent


def _matches_arn(pattern: Sequence[Any], text: str) -> bool:
    """Each of the six parts of an ARN on its own: no wildcard reaches over a colon."""
    wanted, given = _segments(pattern), text.split(":", 5)
    return len(wanted) == len(given) == 6 and all(
        matches(tuple(part), value) for part, value in zip(wanted, given, strict=True)
    )


def _segments(pattern: Sequence[Any]) -> list[list[Any]]:
    parts: list[list[Any]] = [[]]
    for part in pattern:
        if part == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(part)
    return parts


def _any(results: Iterable[bool | None]) -> bool | None:
    """True where one is; unknown where one might have been."""
    known = list(results)
    return True if True in known else None if None in known else False


def _all(results: Iterable[bool | None]) -> bool | None:
    known = list(results)
    return False if False in known else None if None in known else True
