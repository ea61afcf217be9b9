"""The cluster query language: which instances ``memberOf`` and list filters mean.

Developer Guide, "Create expressions to define container instances for Amazon ECS tasks". Here are
reading and evaluating; the grammar is in ``query_grammar``, what each field accepts in
``query_fields``, regular expressions in ``query_patterns``.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from openecs.decide.placement import query_fields, query_patterns
from openecs.decide.placement.query_fields import ANY_ATTRIBUTE, ATTRIBUTE, FIELDS, Field, Measure
from openecs.decide.placement.query_terms import (
    AllOf,
    AnyOf,
    Comparison,
    Not,
    Operator,
    Query,
    SyntaxProblem,
    comparisons,
)

__all__ = ["LONGEST", "Query", "Subject", "SyntaxProblem", "matches", "parse"]

LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a query sees of a container instance. ``registered_at`` is aware of its time zone.

    ``task_groups`` are the groups of the tasks on it; an attribute may have no value.
    """

    attributes: Mapping[str, str | None]
    agent_connected: bool
    agent_version: str
    ec2_instance_id: str
    registered_at: datetime
    running_tasks_count: int
    task_groups: frozenset[str]


def parse(text: str) -> Query | SyntaxProblem:
    """The query a text spells, or what is wrong with it; at most 2000 characters.

    ``not`` binds closest, then ``and``, then ``or``. API Reference, ``PlacementConstraint``.
    """
    if len(text) > LONGEST:
        return SyntaxProblem(f"An expression has at most {LONGEST} characters.")
    return _parsed(text)


def matches(query: Query, subject: Subject) -> bool:
    """Whether a query holds for an instance.

    Equality is that of text, order that of numbers where both sides are numbers; versions, dates
    and counts compare as such. An attribute the instance lacks satisfies ``not_exists`` alone, no
    other operator, ``!=`` neither (aws/containers-roadmap issue 486); ``not(...)`` negates that
    too. Of task groups ``!=``, ``not_in`` and ``not_matches`` mean that no task is in such a group.
    """
    match query:
        case Comparison():
            return _holds(query, subject)
        case Not(term):
            return not matches(term, subject)
        case AllOf(terms):
            return all(matches(term, subject) for term in terms)
        case AnyOf(terms):
            return any(matches(term, subject) for term in terms)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Query | SyntaxProblem:
    from openecs.decide.placement import query_grammar

    query = query_grammar.read(text)
    if isinstance(query, SyntaxProblem):
        return query
    problems = map(query_fields.problem_of, comparisons(query))
    return next(filter(None, problems), query)


Key = tuple[Measure, str]

NEGATIONS = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_MATCHES: Operator.MATCHES,
}
ORDERINGS: dict[Operator, Callable[[Key, Key], bool]] = {
    Operator.EQUALS: compare.eq,
    Operator.GREATER_THAN: compare.gt,
    Operator.GREATER_THAN_EQUAL: compare.ge,
    Operator.LESS_THAN: compare.lt,
    Operator.LESS_THAN_EQUAL: compare.le,
}


def _holds(comparison: Comparison, subject: Subject) -> bool:
    values = _values(comparison.field, subject)
    if comparison.operator is Operator.EXISTS:
        return bool(values)
    if comparison.operator is Operator.NOT_EXISTS:
        return not values
    positive = NEGATIONS.get(comparison.operator)
    if positive is None:
        return _any_holds(values, comparison.operator, comparison)
    if not values and comparison.field != "task:group":
        return False
    return not _any_holds(values, positive, comparison)


def _values(name: str, subject: Subject) -> tuple[str, ...]:
    match name:
        case "agentConnected":
            return ("true" if subject.agent_connected else "false",)
        case "agentVersion":
            known = query_fields.version(subject.agent_version) is not None
            return (subject.agent_version,) if known else ()
        case "ec2InstanceId":
            return (subject.ec2_instance_id,)
        case "registeredAt":
            return (subject.registered_at.isoformat(),)
        case "runningTasksCount":
            return (str(subject.running_tasks_count),)
        case "task:group":
            return tuple(subject.task_groups)
        case _:
            return _attribute(name.removeprefix(ATTRIBUTE), subject.attributes)


def _attribute(name: str, attributes: Mapping[str, str | None]) -> tuple[str, ...]:
    # One without a value is there all the same: it compares as the empty text.
    return (attributes[name] or "",) if name in attributes else ()


def _any_holds(values: tuple[str, ...], operator: Operator, comparison: Comparison) -> bool:
    field = FIELDS.get(comparison.field, ANY_ATTRIBUTE)
    arguments = comparison.arguments
    return any(_test(field, value, operator, arguments) for value in values)


def _test(field: Field, value: str, operator: Operator, arguments: tuple[str, ...]) -> bool:
    match operator:
        case Operator.IN:
            return value in arguments
        case Operator.MATCHES:
            return query_patterns.is_match(arguments[0], value)
        case Operator.EQUALS if field.measure is None:
            return value == arguments[0]
        case _:
            return ORDERINGS[operator](*_keys(field, value, arguments[0]))


def _keys(field: Field, left: str, right: str) -> tuple[Key, Key]:
    measure = field.measure or query_fields.number
    first, second = measure(left), measure(right)
    if first is None or second is None:
        return ((), left), ((), right)
    return (first, ""), (second, "")
