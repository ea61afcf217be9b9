"""Regular expressions of cluster queries, in time linear in pattern and value.

AWS documents Java's syntax and the whole value must match. RE2 is used because it cannot be made
to backtrack: a time limit would let the clock decide a placement, and judging which nested
quantifiers are harmless is guesswork. What it leaves out of Java's syntax (look-around,
back-references, possessive quantifiers) is refused when the query is read. Its bindings are
imported late: only queries with a pattern need them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from openecs.decide.placement.query_terms import SyntaxProblem

LONGEST = 256
MEMORY = 1 << 20  # bytes a compiled pattern may use: many of them must not fill the machine


class Pattern(Protocol):
    """A compiled pattern over UTF-8."""

    def fullmatch(self, text: bytes, /) -> object | None:
        """Something where the whole text matches."""


def problem_of(pattern: str) -> SyntaxProblem | None:
    """Why a pattern is not used, or None."""
    if len(pattern) > LONGEST:
        return SyntaxProblem(f"A pattern has at most {LONGEST} characters.")
    compiled = _compiled(pattern)
    return compiled if isinstance(compiled, SyntaxProblem) else None


def is_match(pattern: str, value: str) -> bool:
    """Whether the whole value matches; never for a pattern that has a problem."""
    compiled = _compiled(pattern)
    if isinstance(compiled, SyntaxProblem):
        return False
    return compiled.fullmatch(_utf8(value)) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Pattern | SyntaxProblem:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        compiled: Pattern = re2.compile(_utf8(pattern), options)
    except re2.error as error:
        return SyntaxProblem(f"Invalid pattern {pattern[:40]!r}: {_reason(error)}.")
    return compiled


def _utf8(text: str) -> bytes:
    # JSON can spell half a surrogate pair; it stands as it is instead of raising.
    return text.encode("utf-8", "surrogatepass")


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
