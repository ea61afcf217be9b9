"""Placing several identical tasks, one after the other, on values: the same for "what if"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    known: Sequence[Candidate] = among.by_id(candidates)
    placements: list[Placement] = []
    for number in range(count):
        verdicts = [(c, filters.reject(ask, c)) for c in known]
        fit = [c for c, rejection in verdicts if rejection is None]
        chosen = strategies.choose(ask, fit, ranked_by, f"{seed}/{number}")
        if chosen is None:
            placements.append(Unplaced(tuple((c, r) for c, r in verdicts if r is not None)))
            continue
        placements.append(Placed(chosen))
        known = among.place(chosen, ask, known)
    return tuple(placements)
