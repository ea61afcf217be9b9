"""Which of the instances that can take a task does: strategies as sort keys, the least wins.

Several strategies rank in order, as ECS does with ``placementStrategy``. Without any, tasks spread
over availability zones, then instances. Developer Guide, "Amazon ECS task placement strategies".
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from openecs.decide.placement.ask import Ask
from openecs.decide.placement.candidates import Candidate
from openecs.model.task_definitions import PlacementStrategy

ZONE = "attribute:ecs.availability-zone"
DEFAULT = (
    PlacementStrategy(type="spread", field=ZONE),
    PlacementStrategy(type="spread", field="instanceId"),
)

Rank = tuple[tuple[int, str], ...]


def choose(
    ask: Ask,
    fit: Iterable[Candidate],
    strategies: tuple[PlacementStrategy, ...],
    seed: str,
) -> Candidate | None:
    """The best of the candidates that fit, or None of none. Ties are broken by the seed."""
    fitting = tuple(fit)
    counts = [_spread_counts(ask, fitting, s) for s in strategies or DEFAULT]

    def rank(candidate: Candidate) -> Rank:
        ranks = [
            _rank(strategy, count, candidate, seed)
            for strategy, count in zip(strategies or DEFAULT, counts, strict=True)
        ]
        return (*ranks, (0, _shuffled(candidate, seed)))

    return min(fitting, key=rank, default=None)


def is_known(strategy: PlacementStrategy) -> bool:
    """Whether ECS knows the strategy with its field."""
    match strategy.type:
        case "random":
            return True
        case "binpack":
            return (strategy.field or "").lower() in {"cpu", "memory"}
        case "spread":
            name = strategy.field or ""
            return name.lower() in {"instanceid", "host"} or name.startswith("attribute:")
        case _:
            return False


def _rank(
    strategy: PlacementStrategy, counts: Counter[str | None], candidate: Candidate, seed: str
) -> tuple[int, str]:
    match strategy.type:
        case "spread":
            return counts[_place(strategy, candidate)], ""
        case "binpack":
            free = candidate.free
            return (free.cpu if (strategy.field or "").lower() == "cpu" else free.memory), ""
        case _:
            return 0, _shuffled(candidate, seed)


def _spread_counts(
    ask: Ask, candidates: Iterable[Candidate], strategy: PlacementStrategy
) -> Counter[str | None]:
    """How many tasks of the ask's group each place has already."""
    counts: Counter[str | None] = Counter()
    if strategy.type == "spread":
        for candidate in candidates:
            counts[_place(strategy, candidate)] += candidate.groups.get(ask.group, 0)
    return counts


def _place(strategy: PlacementStrategy, candidate: Candidate) -> str | None:
    field = strategy.field or ""
    if field.startswith("attribute:"):
        return candidate.attributes.get(field.removeprefix("attribute:"))
    return candidate.id


def _shuffled(candidate: Candidate, seed: str) -> str:
    return hashlib.sha256(f"{seed} {candidate.id}".encode()).hexdigest()
