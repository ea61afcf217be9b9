"""The options of the awslogs driver.

Amazon ECS Developer Guide, "Send Amazon ECS logs to CloudWatch"; Docker, "Amazon CloudWatch Logs
logging driver".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from openecs.decide.log_lines import Begins

_DATETIME = "awslogs-datetime-format"
_PATTERN = "awslogs-multiline-pattern"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_DIRECTIVES = {
    "a": f"(?:{'|'.join(day[:3] for day in _DAYS)})",
    "A": f"(?:{'|'.join(_DAYS)})",
    "b": f"(?:{'|'.join(month[:3] for month in _MONTHS)})",
    "B": f"(?:{'|'.join(_MONTHS)})",
    "d": r"\d{2}",
    "f": r"\d{6}",
    "H": r"\d{2}",
    "I": r"\d{2}",
    "j": r"\d{3}",
    "L": r"\.\d{3}",
    "m": r"\d{2}",
    "M": r"\d{2}",
    "p": "[A-Z]{2}",
    "S": r"\d{2}",
    "w": r"\d",
    "y": r"\d{2}",
    "Y": r"\d{4}",
    "z": r"[+-]\d{4}",
    "Z": "[A-Z]{1,4}T",
}


class BadOption(ValueError):
    """An option that cannot be meant, in Docker's words."""


def begins_of(options: Mapping[str, str]) -> Begins | None:
    """What tells whether a line begins an event; None: each does. Raises ``BadOption``."""
    if options.get(_DATETIME) and options.get(_PATTERN):
        raise BadOption(f"you cannot configure log opt '{_DATETIME}' and '{_PATTERN}' at once")
    if options.get(_DATETIME):
        pattern, name = datetime_pattern(options[_DATETIME]), _DATETIME
    elif options.get(_PATTERN):
        pattern, name = options[_PATTERN], _PATTERN
    else:
        return None
    import re2

    try:
        # RE2, like Docker's own, cannot be made to backtrack by what a container prints.
        search = re2.compile(pattern.encode()).search
    except re2.error as error:
        raise BadOption(f"could not parse {name} key {pattern!r}: {error}") from error
    return lambda line: search(line) is not None


def datetime_pattern(format_: str) -> str:
    """A strftime format as a pattern. Raises ``BadOption``."""

    def directive(found: re.Match[str]) -> str:
        letter = found[1]
        if letter == "%":
            return "%"
        if letter not in _DIRECTIVES:
            raise BadOption(f"unsupported directive %{letter} in '{_DATETIME}'")
        return _DIRECTIVES[letter]

    literal = re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", format_)
    return re.sub(r"%(.)", directive, literal)


def creates_group(options: Mapping[str, str]) -> bool:
    """Whether a group that is missing is made. Raises ``BadOption``."""
    match options.get("awslogs-create-group", "false"):
        case "true" | "True" | "TRUE" | "1" | "t" | "T":
            return True
        case "false" | "False" | "FALSE" | "0" | "f" | "F" | "":
            return False
        case given:
            raise BadOption(f"strconv.ParseBool: parsing {given!r}: invalid syntax")


def stream_of(options: Mapping[str, str], container: str, task: str, runtime_id: str) -> str:
    """The stream of a container: by its task where there is a prefix, else by the engine's id."""
    prefix = options.get("awslogs-stream-prefix")
    return f"{prefix}/{container}/{task}" if prefix else runtime_id
