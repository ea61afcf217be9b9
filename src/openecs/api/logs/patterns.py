"""Filter patterns in requests."""

from __future__ import annotations

from openecs.api.logs import errors
from openecs.decide import filter_patterns
from openecs.decide.filter_patterns import Pattern, PatternProblem


def pattern_of(text: str) -> Pattern:
    """The pattern a text spells. Raises ``InvalidParameterException``."""
    found = filter_patterns.read(text)
    if isinstance(found, PatternProblem):
        raise errors.invalid(f"Invalid filter pattern: {found}")
    return found
