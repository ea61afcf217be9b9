"""Attributes: keys with a default and a rule each, of which only what was set is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from openecs.api.base import Members
from openecs.api.elbv2 import errors


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: its default, whether a value may be, and what may be in words."""

    default: str
    allows: Callable[[str], bool]
    words: str


Table: TypeAlias = Mapping[str, Attribute]


def flag(default: str) -> Attribute:
    """``true`` or ``false``."""
    return one_of(default, "true", "false")


def one_of(default: str, *values: str) -> Attribute:
    """One of some words."""
    return Attribute(default, values.__contains__, f"must be one of [{', '.join(values)}]")


def number(default: str, least: int, most: int, *words: str) -> Attribute:
    """A whole number in a range, or one of some words."""

    def allows(value: str) -> bool:
        return value in words or (value.isdecimal() and least <= int(value) <= most)

    return Attribute(default, allows, f"must be between '{least}-{most}' inclusive")


def text(default: str = "", longest: int = 1024) -> Attribute:
    """Whatever is not too long."""
    words = f"cannot be longer than '{longest}' characters"
    return Attribute(default, lambda value: len(value) <= longest, words)


def fixed(value: str) -> Attribute:
    """What cannot be changed."""
    return Attribute(value, lambda given: given == value, f"must be '{value}'")


def show(table: Table, stored: Mapping[str, str]) -> list[Members]:
    """Every attribute of the table, at its default unless set."""
    return [
        {"Key": key, "Value": stored.get(key, attribute.default)}
        for key, attribute in table.items()
    ]


def changed(
    noun: str, table: Table, stored: Mapping[str, str], given: Sequence[Members]
) -> dict[str, str]:
    """The stored attributes with those of a request; ``noun``: ``Load balancer``.

    Raises ``ValidationError``: an unknown key, a key given twice, a value that may not be.
    """
    changes: dict[str, str] = {}
    for each in given:
        key, value = each.get("Key") or "", each.get("Value") or ""
        if key in changes:
            raise errors.validation(f"{noun} attribute key '{key}' was provided multiple times")
        changes[key] = _checked(noun, table, key, value)
    return {**stored, **changes}


def _checked(noun: str, table: Table, key: str, value: str) -> str:
    attribute = table.get(key)
    if attribute is None:
        raise errors.validation(f"{noun} attribute key '{key}' is not recognized")
    if not attribute.allows(value):
        raise errors.validation(f"'{key}' value '{value}' {attribute.words}")
    return value
