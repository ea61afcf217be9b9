"""How long to wait before trying again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential: ``first``, then ``factor`` times longer each time, never over ``longest``."""

    first: timedelta = timedelta(milliseconds=100)
    factor: float = 2.0
    longest: timedelta = timedelta(seconds=30)

    def delay(self, failures: int) -> timedelta:
        """The wait after so many failures in a row (1 or more)."""
        exponent = min(max(failures, 1) - 1, 64)
        seconds = self.first.total_seconds() * self.factor**exponent
        return min(timedelta(seconds=min(seconds, self.longest.total_seconds())), self.longest)
