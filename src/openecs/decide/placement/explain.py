"""Why a task could not be placed, in the words of a service event.

Amazon ECS Developer Guide, "Viewing Amazon ECS service event messages".
"""

from __future__ import annotations

from openecs.decide.placement.candidates import Candidate
from openecs.decide.placement.filters import Rejection
from openecs.decide.placement.plan import Unplaced

NO_INSTANCES = "No Container Instances were found in your cluster."

_UNPLACED = "was unable to place a task because no container instance met all of its requirements."
_MORE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
_WORDS = {
    Rejection.ATTRIBUTE: "is missing an attribute required by your task.",
    Rejection.CPU: "has insufficient CPU units available.",
    Rejection.MEMORY: "has insufficient memory available.",
    Rejection.PORTS: "is already using a port required by your task.",
}
#: Rejections from that of the first filter to that of the last.
_PROGRESS = tuple(Rejection)


def explain(unplaced: Unplaced) -> str:
    """What follows ``(service NAME)`` in the event of a task without a place."""
    found = closest(unplaced)
    if found is None:
        return f"{_UNPLACED} Reason: {NO_INSTANCES} {_MORE}"
    candidate, rejection = found
    why = _WORDS.get(rejection, f'encountered error "{rejection}".')
    return f"{_UNPLACED} The closest matching (container-instance {candidate.id}) {why} {_MORE}"


def closest(unplaced: Unplaced) -> tuple[Candidate, Rejection] | None:
    """The instance that passed most filters, the first by id of several; None: there is none."""

    def distance(verdict: tuple[Candidate, Rejection]) -> tuple[int, str]:
        candidate, rejection = verdict
        return -_PROGRESS.index(rejection), candidate.id

    return min(unplaced.rejections, key=distance, default=None)
