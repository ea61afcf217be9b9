"""Patterns of terms: ``a "b c"`` all of them, ``?a ?b`` any of them, ``-a`` not that one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from openecs.decide.filter_patterns.values import PatternProblem, Search, quoted, searching

_TERM = re.compile(r'\s*([?-]?)("(?:[^"\\]|\\.)*"|%[^%]+%|[^\s"%]+)(?=\s|$)')


def taker(text: str) -> Callable[[str], Mapping[str, str] | None]:
    """What tells whether a message is meant. Raises ``PatternProblem``."""
    found: dict[str, list[Search]] = {"": [], "?": [], "-": []}
    at = 0
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None:
            raise PatternProblem(f"it makes no sense at character {at + 1}")
        found[term[1]].append(_search(term[2]))
        at = term.end()
    required, optional, excluded = found[""], found["?"], found["-"]

    def take(message: str) -> Mapping[str, str] | None:
        if any(search(message) for search in excluded):
            return None
        # Beside terms that are required, or excluded, optional ones say nothing.
        if required or excluded:
            is_match = all(search(message) for search in required)
        else:
            is_match = any(search(message) for search in optional)
        return {} if is_match else None

    return take


def _search(term: str) -> Search:
    if term.startswith("%"):
        return searching(term[1:-1])
    word = quoted(term).text if term.startswith('"') else term
    return lambda message: word in message
