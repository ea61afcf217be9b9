"""The fields a cluster query compares: what each accepts, and how its values compare.

Text becomes a ``Measure`` where order is not that of letters: versions, instants, numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from openecs.decide.placement import query_patterns
from openecs.decide.placement.query_terms import Comparison, Operator, SyntaxProblem

Measure = tuple[Decimal, ...]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

ATTRIBUTE = "attribute:"
ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}")
VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")
NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)

EQUALITY = frozenset({Operator.EQUALS, Operator.NOT_EQUALS})
ORDER = frozenset(
    {
        Operator.GREATER_THAN,
        Operator.GREATER_THAN_EQUAL,
        Operator.LESS_THAN,
        Operator.LESS_THAN_EQUAL,
    }
)
PATTERN = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})
TEXTUAL = EQUALITY | PATTERN | {Operator.IN, Operator.NOT_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field's operators; ``measure`` reads its values where they are more than text."""

    operators: frozenset[Operator]
    measure: Callable[[str], Measure | None] | None = None
    wanted: str = ""


def version(text: str) -> Measure | None:
    """``1.14.5`` component by component as numbers; ``1.14`` is ``1.14.0``. None: no version."""
    if not VERSION.fullmatch(text):
        return None
    parts = [Decimal(part) for part in text.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def instant(text: str) -> Measure | None:
    """A date or a time of day, UTC where no offset is given. None: neither."""
    if not INSTANT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (Decimal((moment - EPOCH) // MICROSECOND),)


def number(text: str) -> Measure | None:
    """A decimal number without exponent. None: no number."""
    return (Decimal(text),) if NUMBER.fullmatch(text) else None


FIELDS = {
    "agentConnected": Field(operators=TEXTUAL),
    "agentVersion": Field(
        operators=EQUALITY | ORDER, measure=version, wanted="a version such as 1.14.5"
    ),
    "ec2InstanceId": Field(operators=TEXTUAL),
    "registeredAt": Field(
        operators=EQUALITY | ORDER, measure=instant, wanted="a date such as 2018-06-18T22:28:28Z"
    ),
    "runningTasksCount": Field(operators=EQUALITY | ORDER, measure=number, wanted="a number"),
    "task:group": Field(operators=frozenset(Operator)),
}
ANY_ATTRIBUTE = Field(operators=frozenset(Operator))


def field_named(name: str) -> Field | None:
    """The field of that name. None: the language has none."""
    if name.startswith(ATTRIBUTE):
        known = ATTRIBUTE_NAME.fullmatch(name.removeprefix(ATTRIBUTE))
        return ANY_ATTRIBUTE if known else None
    return FIELDS.get(name)


def problem_of(comparison: Comparison) -> SyntaxProblem | None:
    """What a comparison asks that its field cannot answer, or None."""
    name, operator = comparison.field, comparison.operator
    field = field_named(name)
    if field is None:
        return SyntaxProblem(f"Unknown subject {name[:140]!r}.")
    if operator not in field.operators:
        return SyntaxProblem(f"The operator {operator} is not valid for {name}.")
    if operator in PATTERN:
        return query_patterns.problem_of(comparison.arguments[0])
    return next(filter(None, (_misread(name, field, a) for a in comparison.arguments)), None)


def _misread(name: str, field: Field, argument: str) -> SyntaxProblem | None:
    if field.measure is None or field.measure(argument) is not None:
        return None
    return SyntaxProblem(f"{name} is compared with {field.wanted}, not {argument[:40]!r}.")
