"""Regular expressions in conditions and transforms of rules: what the data plane understands.

Envoy takes RE2's, and takes none of a listener's rules when it does not understand one of them:
only what RE2 is known to understand comes through.
"""

from __future__ import annotations

import re
from math import prod

from openecs.api.elbv2 import errors

_MOST_REPEATS = 1000

_CLASS = r"\[\^?\]?(?:\\[dDsSwW]|\\[^\w\s]|[^\\\]\[])*\]"
_TOKEN = re.compile(
    rf"""{_CLASS}
    | \\[dDsSwWbB] | \\[^\w\s]          # classes, boundaries, plain characters
    | \((?:\?:|\?i\)|(?!\?))                  # groups, and the flag of letters' case
    | [)|.^$]
    | (?:[*+?]|\{{\d+(?:,\d*)?\}})\??(?![*+?{{])
    | [^\\\[\](){{}}*+?|.^$]""",
    re.VERBOSE,
)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def check(pattern: str, longest: int = 128) -> None:
    """Raises ``ValidationError``: too long, or not understood."""
    if len(pattern) > longest:
        raise errors.validation(f"The regex value is too long; the limit is '{longest}'")
    if not pattern or not _is_understood(pattern):
        raise errors.validation(f"The regex value '{pattern}' is not a valid regular expression")


def _is_understood(pattern: str) -> bool:
    if _TOKEN.sub("", pattern) or not pattern.isprintable():
        return False
    counts = (int(most or least) for least, most in _REPEAT.findall(pattern))
    try:
        re.compile(pattern)
    except re.error:
        return False
    return prod(max(count, 1) for count in counts) <= _MOST_REPEATS
