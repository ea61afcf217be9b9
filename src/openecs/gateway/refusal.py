"""Why the gateway itself refuses a request, before any operation has seen it.

The code and the status AWS answers with depend on the protocol; ``errors`` has that table.
"""

from __future__ import annotations

from enum import Enum, auto


class Reason(Enum):
    """The kinds of refusal; each has a code and a status in every protocol."""

    MISSING_TOKEN = auto()
    INCOMPLETE_SIGNATURE = auto()
    UNKNOWN_KEY = auto()
    EXPIRED_TOKEN = auto()
    BAD_SIGNATURE = auto()
    OUT_OF_TIME = auto()
    ACCESS_DENIED = auto()
    UNKNOWN_OPERATION = auto()
    NOT_BUILT = auto()
    MALFORMED = auto()
    TOO_LARGE = auto()
    INTERNAL = auto()
    UNAVAILABLE = auto()


class Refused(Exception):
    """The gateway refuses a request for ``reason``; ``message`` is what AWS says then."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason.name}: {message}")
        self.reason = reason
        self.message = message


def malformed(message: str) -> Refused:
    """What was sent is not what the protocol or the operation's model says it must be."""
    return Refused(Reason.MALFORMED, message)
