"""Texts that only the installation can read."""

from __future__ import annotations

from typing import Protocol

#: What every sealed text begins with; the key's id and a colon follow.
PREFIX = "sealed:"


class CannotOpen(Exception):
    """A sealed text is of a key that is not here, or not what was sealed; the text says which."""


class Seal(Protocol):
    """The keys of an installation: one seals, all open.

    ``about`` says what the text is: one that is put in another's place does not open.
    """

    @property
    def prefix(self) -> str:
        """What a text begins with that is sealed with the key in force."""
        ...

    def close(self, text: str, about: str) -> str:
        """The text, sealed with the key in force."""
        ...

    def open(self, sealed: str, about: str) -> str:
        """The text that was sealed. Raises ``CannotOpen``."""
        ...
