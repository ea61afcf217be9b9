"""Patterns of policies: ``*``, ``?`` and variables, matched in time proportional to both lengths.

IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]


class Wildcard(Enum):
    """What stands for other characters."""

    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """``${key, 'default'}``."""

    key: str
    default: str | None


Part = str | Wildcard | Variable
#: Characters, and wildcards among them.
Glob = tuple[str | Wildcard, ...]

_TOKEN = re.compile(
    r"""\$\{(?P<literal>[*?$])\}
      | \$\{(?P<key>[^},$]+?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}
      | (?P<wildcard>[*?])""",
    re.VERBOSE,
)


@lru_cache(maxsize=8192)
def parts(pattern: str, *, has_variables: bool = True) -> tuple[Part, ...]:
    """What a pattern is made of."""
    found: list[Part] = []
    end = 0
    for token in _TOKEN.finditer(pattern):
        if token["wildcard"] is None and not has_variables:
            continue
        found.append(pattern[end : token.start()])
        found.append(_part(token))
        end = token.end()
    found.append(pattern[end:])
    return tuple(part for part in found if part != "")


def glob(pattern: str, context: Context, *, has_variables: bool = True) -> Glob | None:
    """The pattern with its variables replaced; None where one has no value or more than one."""
    made: list[str | Wildcard] = []
    for part in parts(pattern, has_variables=has_variables):
        match part:
            case Variable(key, default):
                values = context.get(key.lower(), ())
                value = values[0] if len(values) == 1 else default
                if value is None:
                    return None
                made.extend(value)
            case str():
                made.extend(part)
            case Wildcard():
                made.append(part)
    return tuple(made)


def matches(pattern: Glob, text: str) -> bool:
    """Whether the whole text is of the pattern."""
    at, star, resume = 0, -1, 0
    index = 0
    while index < len(text):
        part = pattern[at] if at < len(pattern) else None
        if part is Wildcard.ANY:
            star, resume = at, index
            at += 1
        elif part is Wildcard.ONE or part == text[index]:
            at += 1
            index += 1
        elif star >= 0:
            # The last star takes one character more.
            resume += 1
            at, index = star + 1, resume
        else:
            return False
    return all(part is Wildcard.ANY for part in pattern[at:])


def _part(token: re.Match[str]) -> Part:
    if token["wildcard"]:
        return Wildcard(token["wildcard"])
    if token["literal"]:
        return token["literal"]
    return Variable(token["key"].strip(), token["default"])
