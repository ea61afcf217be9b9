"""What patterns compare with: numbers, texts with wildcards, regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

#: Bytes a compiled expression may use.
_MEMORY = 1 << 20

Search = Callable[[str], bool]


class PatternProblem(Exception):
    """Why a text is no pattern."""


@dataclass(frozen=True, slots=True)
class Value:
    """The right side of a comparison. ``number`` None: it is none."""

    text: str
    number: float | None
    is_match: Search


def quoted(token: str) -> Value:
    """Of ``"..."``: never a number."""
    text = re.sub(r"\\(.)", r"\1", token[1:-1])
    return Value(text, None, _wildcards(text))


def bare(token: str) -> Value:
    """Of a word: a number where it can be."""
    return Value(token, number_of(token), _wildcards(token))


def regex(token: str) -> Value:
    """Of ``%...%``: found anywhere."""
    return Value(token, None, searching(token[1:-1]))


def searching(expression: str) -> Search:
    """Whether an expression is found in a text. Raises ``PatternProblem``.

    RE2 cannot be made to backtrack; what it leaves out of others' syntax AWS leaves out, too.
    """
    import re2

    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        compiled = re2.compile(expression.encode(errors="replace"), options)
    except re2.error as error:
        raise PatternProblem(f"%{expression}% is no regular expression: {error}") from error
    return lambda text: compiled.search(text.encode(errors="replace")) is not None


def number_of(text: str) -> float | None:
    """The number a text spells."""
    if not _NUMBER.fullmatch(text):
        return None
    return float(text)


def _wildcards(text: str) -> Search:
    if "*" not in text:
        return lambda given: given == text
    first, *middle, last = text.split("*")

    def is_match(given: str) -> bool:
        if len(given) < len(first) + len(last):
            return False
        if not (given.startswith(first) and given.endswith(last)):
            return False
        at, end = len(first), len(given) - len(last)
        for part in middle:
            at = given.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return is_match


_NUMBER = re.compile(r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,5})?")
