"""Placing several identical tasks, one after the other, on values: the same for "what if"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from openecs.decide.placement import candidates as among
from openecs.decide.placement import filters, strategies
from openecs.decide.placement.ask import Ask
from openecs.decide.placement.candidates import Candidate
from openecs.decide.placement.filters import Rejection
from openecs.model.task_definitions import PlacementStrategy


@dataclass(frozen=True, slots=True)
class Placed:
    """The task goes to this instance."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Unplaced:
    """No instance takes the task; why, by instance. Nothing: there is no instance."""

    rejections: tuple[tuple[Candidate, Rejection], ...]


Placement = Placed | Unplaced


def plan(
    ask: Ask,
    count: int,
    candidates: Sequence[Candidate],
    ranked_by: tuple[PlacementStrategy, ...],
    seed: str,
) -> tuple[Placement, ...]:
    """Where each of ``count`` identical asks goes, in order. The order of candidates is nothing."""
    known = {candidate.id: candidate for candidate in candidates}
    sharing = _sharing(candidates)
    rejections: dict[str, Rejection] = {}

    def fits(candidate: Candidate) -> bool:
        rejection = filters.reject(ask, candidate)
        if rejection is not None:
            rejections[candidate.id] = rejection
        return rejection is None

    ranking = strategies.Ranking(ask, ranked_by, seed, known.values(), fits)
    placements: list[Placement] = []
    while len(placements) < count and (chosen := ranking.best()) is not None:
        placements.append(Placed(chosen))
        together = [known[name] for name in sharing.get(chosen.machine, (chosen.id,))]
        changed = among.place(chosen, ask, together)
        known.update((c.id, c) for c in changed)
        ranking.placed(chosen, changed)
    unplaced = Unplaced(tuple((known[i], rejections[i]) for i in sorted(rejections)))
    return (*placements, *[unplaced] * (count - len(placements)))


def _sharing(candidates: Sequence[Candidate]) -> dict[str, list[str]]:
    """The ids of the instances of each machine that has several: they share its resources."""
    if len({candidate.machine for candidate in candidates}) == len(candidates):
        return {}
    together: dict[str, list[str]] = {}
    for candidate in sorted(candidates, key=attrgetter("id")):
        together.setdefault(candidate.machine, []).append(candidate.id)
    return together
