"""The rule of a composite alarm: when it is in ALARM, by the states of other alarms.

API Reference, PutCompositeAlarm, ``AlarmRule``.
"""

from __future__ import annotations

from dataclasses import dataclass

from openecs.model.alarms import AlarmState


@dataclass(frozen=True, slots=True)
class InState:
    """Whether an alarm, by its name or ARN, is in a state."""

    alarm: str
    state: AlarmState


@dataclass(frozen=True, slots=True)
class Constant:
    """``TRUE`` or ``FALSE``."""

    value: bool


@dataclass(frozen=True, slots=True)
class Not:
    """That a rule does not hold."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class AllOf:
    """That each of some rules holds."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """That one of some rules holds."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """That so many, or so many of a hundred (``is_share``), of some rules hold."""

    count: int
    is_share: bool
    rules: tuple[Rule, ...]


Rule = InState | Constant | Not | AllOf | AnyOf | AtLeast


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Why a text is no rule."""

    reason: str
