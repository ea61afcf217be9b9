"""What came of a simulation, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from openecs.simulation.plant import Moment

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A simulation's numbers. Requests are totals, times in seconds, utilisation in percent."""

    requests: float
    missed: float
    #: How long some requests were not served.
    short: float
    #: The largest share of the requests of a moment that was not served, in percent.
    worst: float
    task_hours: float
    most_tasks: int
    fewest_tasks: int
    average_cpu: float
    scale_outs: int
    scale_ins: int

    @property
    def missed_percent(self) -> float:
        """The share of all requests that was not served."""
        return 100 * self.missed / self.requests if self.requests else 0.0


def summary(moments: Sequence[Moment], step: float) -> Summary:
    """The numbers of moments that are ``step`` seconds apart; at least one."""
    running = sum(moment.running for moment in moments)
    changes = [after.desired - before.desired for before, after in pairwise(moments)]
    return Summary(
        requests=sum(moment.load for moment in moments) * step,
        missed=sum(moment.missed for moment in moments) * step,
        short=sum(moment.missed > 0 for moment in moments) * step,
        worst=max(100 * m.missed / m.load if m.load else 0.0 for m in moments),
        task_hours=sum(moment.present for moment in moments) * step / HOUR,
        most_tasks=max(moment.present for moment in moments),
        fewest_tasks=min(moment.running for moment in moments),
        average_cpu=sum(m.cpu * m.running for m in moments) / running if running else 0.0,
        scale_outs=sum(change > 0 for change in changes),
        scale_ins=sum(change < 0 for change in changes),
    )
