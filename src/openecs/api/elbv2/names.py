"""What a load balancer or a target group may be called."""

from __future__ import annotations

import re

from openecs.api.elbv2 import errors

_LONGEST = 32
_CHARACTERS = re.compile(r"[A-Za-z0-9-]+")


def check(noun: str, name: str) -> None:
    """Raise ``ValidationError`` for a name that may not be; ``noun``: ``Target group``."""
    if len(name) > _LONGEST:
        raise errors.validation(
            f"{noun} name '{name}' cannot be longer than '{_LONGEST}' characters"
        )
    if not _CHARACTERS.fullmatch(name):
        raise errors.validation(
            f"{noun} name '{name}' can only contain characters that are alphanumeric characters "
            "or hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise errors.validation(f"{noun} name '{name}' cannot begin or end with '-'")
