"""Why an instance cannot take a task: filters in a stated order, the first that refuses speaks.

Reasons: Amazon ECS API Reference, "API failure reasons".
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from openecs.decide.placement import query
from openecs.decide.placement.ask import Ask
from openecs.decide.placement.candidates import Candidate
from openecs.model.clusters import ContainerInstanceStatus
from openecs.model.task_definitions import PlacementConstraint


class Rejection(StrEnum):
    """Why an instance was passed over, as ECS words it in ``failures``."""

    INACTIVE = "INACTIVE"
    AGENT = "AGENT"
    ATTRIBUTE = "ATTRIBUTE"
    CPU = "RESOURCE:CPU"
    MEMORY = "RESOURCE:MEMORY"
    PORTS = "RESOURCE:PORTS"
    MEMBER_OF = "MemberOf placement constraint unsatisfied."
    DISTINCT_INSTANCE = "DistinctInstance placement constraint unsatisfied."


Filter = Callable[[Ask, Candidate], Rejection | None]


def status(_: Ask, candidate: Candidate) -> Rejection | None:
    """Only ACTIVE instances take tasks."""
    active = candidate.status is ContainerInstanceStatus.ACTIVE
    return None if active else Rejection.INACTIVE


def agent(_: Ask, candidate: Candidate) -> Rejection | None:
    """Its agent must be connected."""
    return None if candidate.connected else Rejection.AGENT


def attributes(ask: Ask, candidate: Candidate) -> Rejection | None:
    """It must have every attribute the task definition requires, and its architecture."""
    if not ask.required_attributes <= candidate.attributes.keys():
        return Rejection.ATTRIBUTE
    architecture = candidate.attributes.get("ecs.cpu-architecture")
    wrong = ask.architecture is not None and architecture != ask.architecture
    return Rejection.ATTRIBUTE if wrong else None


def cpu(ask: Ask, candidate: Candidate) -> Rejection | None:
    """Enough CPU units must be left."""
    return None if ask.cpu <= candidate.free.cpu else Rejection.CPU


def memory(ask: Ask, candidate: Candidate) -> Rejection | None:
    """Enough memory must be left."""
    return None if ask.memory <= candidate.free.memory else Rejection.MEMORY


def ports(ask: Ask, candidate: Candidate) -> Rejection | None:
    """Its static host ports must be free."""
    return Rejection.PORTS if ask.host_ports & candidate.free.ports else None


def member_of(ask: Ask, candidate: Candidate) -> Rejection | None:
    """Every ``memberOf`` expression must hold; one that does not parse holds nowhere."""
    expressions = [c.expression or "" for c in ask.constraints if c.type == "memberOf"]
    return None if all(holds(e, candidate) for e in expressions) else Rejection.MEMBER_OF


def distinct_instance(ask: Ask, candidate: Candidate) -> Rejection | None:
    """With ``distinctInstance``, no other task of the group may be on it."""
    wanted = any(c.type == "distinctInstance" for c in ask.constraints)
    return Rejection.DISTINCT_INSTANCE if wanted and candidate.groups.get(ask.group) else None


FILTERS: tuple[Filter, ...] = (status, agent, attributes, cpu, memory, ports)
#: What placement constraints add; most tasks have none.
CONSTRAINTS: tuple[Filter, ...] = (member_of, distinct_instance)


def reject(ask: Ask, candidate: Candidate) -> Rejection | None:
    """The first reason against placing the ask on the candidate, or None."""
    for check in (*FILTERS, *CONSTRAINTS) if ask.constraints else FILTERS:
        if rejection := check(ask, candidate):
            return rejection
    return None


def is_daemon_place(ask: Ask, candidate: Candidate) -> bool:
    """Whether a daemon is to have a task on the instance, whatever else is there or its agent does.

    Developer Guide, "Amazon ECS service scheduler": each active instance that meets the
    constraints.
    """
    return not any(check(ask, candidate) for check in (status, attributes, member_of))


def holds(expression: str, candidate: Candidate) -> bool:
    """Whether a cluster query expression holds for a candidate."""
    parsed = query.parse(expression)
    if isinstance(parsed, query.SyntaxProblem):
        return False
    return query.matches(parsed, subject_of(candidate))


def problem_of(constraint: PlacementConstraint) -> str | None:
    """What is wrong with a constraint's expression, or None."""
    if constraint.type != "memberOf":
        return None
    parsed = query.parse(constraint.expression or "")
    return parsed.message if isinstance(parsed, query.SyntaxProblem) else None


def subject_of(candidate: Candidate) -> query.Subject:
    """What a cluster query sees of a candidate."""
    return query.Subject(
        attributes=candidate.attributes,
        agent_connected=candidate.connected,
        agent_version=candidate.agent_version,
        ec2_instance_id=candidate.ec2_instance_id,
        registered_at=candidate.registered_at,
        running_tasks_count=candidate.tasks,
        task_groups=frozenset(g for g, count in candidate.groups.items() if count),
    )
