"""How a command ends when it cannot do what it was asked."""

from __future__ import annotations

#: No server runs, as ``systemctl status`` says it.
NOT_RUNNING = 3


class Failure(Exception):
    """A text that says what is wrong and what to do about it, and the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
