r"""The patterns of AWS's models, which are Java's, as Python's.

Where Java's `\w` and `\d` are ASCII, classes of Unicode (`\p{L}`) are not. Those that Python has no
word for are left unchecked: the operation sees what was sent.
"""

from __future__ import annotations

import re
from functools import cache

_SPACES = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TRANSLATIONS = (
    # Letters, where digits and the underscore are in the class as well: in every model they are.
    (r"\p{L}\p{Z}\p{N}_", rf"\w{_SPACES}"),
    (r"\p{Print}", r"[\x20-\x7e]"),
    (r"\p{ASCII}", r"[\x00-\x7f]"),
    # Pairs of surrogates stand for what is above U+FFFF.
    (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010ffff"),
    (r"[\w-", r"[\w\-"),
)


@cache
def pattern(java: str) -> re.Pattern[str] | None:
    """The pattern, to be matched against a whole value; None where Python cannot have it."""
    python = java
    for word, translation in _TRANSLATIONS:
        python = python.replace(word, translation)
    try:
        return re.compile(python, 0 if r"\p{L}" in java else re.ASCII)
    except re.error:
        return None
