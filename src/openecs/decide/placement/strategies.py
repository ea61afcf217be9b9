"""Which of the instances that can take a task does: strategies as sort keys, the least wins.

Several strategies rank in order, as ECS does with ``placementStrategy``. Without any, tasks spread
over availability zones, then instances. Developer Guide, "Amazon ECS task placement strategies".
"""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from operator import attrgetter

from openecs.decide.placement.ask import Ask
from openecs.decide.placement.candidates import Candidate
from openecs.model.task_definitions import PlacementStrategy

ZONE = "attribute:ecs.availability-zone"
DEFAULT = (
    PlacementStrategy(type="spread", field=ZONE),
    PlacementStrategy(type="spread", field="instanceId"),
)

#: A place: the value of the one attribute to spread over, or the values of all.
Where = str | None | tuple[str | None, ...]
Rank = Callable[[Candidate], int]


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


#: A candidate that fits, by its own ranks; one that has changed since it was put there is passed
#: over. The number keeps apart what is equal.
Entry = tuple[tuple[int, ...], int, Candidate]
#: Whether a candidate takes the task.
Fits = Callable[[Candidate], bool]


@dataclass(slots=True)
class _Place:
    """The candidates that are equal in all attributes to spread over."""

    #: Those nobody has looked at, the next at the end.
    unknown: list[Candidate] = field(default_factory=list)
    fit: list[Entry] = field(default_factory=list)


class Ranking:
    """The candidates a task can go to, the best first; placing a task on one changes the order.

    Attributes to spread over are shared: candidates equal in all of them are one place, inside
    which only their own ranks (tasks on the instance, what it has left) differ, and then their
    turn: a round by id that begins where the seed says. Whether a candidate ``fits`` is asked only
    once its turn has come, and not at all while one is known that cannot be bettered.
    """

    def __init__(
        self,
        ask: Ask,
        ranked_by: tuple[PlacementStrategy, ...],
        seed: str,
        candidates: Iterable[Candidate],
        fits: Fits,
    ) -> None:
        self._group = ask.group
        self._fits = fits
        self._ranked = ranked_by or DEFAULT
        self._attributes = tuple(
            (s.field or "").removeprefix("attribute:") for s in self._ranked if _is_shared(s)
        )
        self._own = tuple(self._rank_by(s) for s in self._ranked if not _is_shared(s))
        self._unbeaten = (0,) * len(self._own)
        self._counts: tuple[Counter[str | None], ...] = tuple(Counter() for _ in self._attributes)
        self._places: dict[Where, _Place] = {}
        self._current: dict[str, Candidate] = {}
        self._numbers = count()
        self._spread_out(candidates, seed)

    def best(self) -> Candidate | None:
        """The best of those that fit, or None of none."""
        heads = [(where, head) for where in self._places if (head := self._head(where))]
        if not heads:
            return None
        return min(heads, key=self._full_key)[1][2]

    def placed(self, on: Candidate, changed: Iterable[Candidate]) -> None:
        """A task was placed on a candidate, by which it and others of its machine ``changed``."""
        where = self._where(on)
        for counts, value in zip(self._counts, self._values(where), strict=True):
            counts[value] += 1
        for candidate in changed:
            self._current[candidate.id] = candidate
            self._look_at(self._places[self._where(candidate)], candidate)

    def _spread_out(self, candidates: Iterable[Candidate], seed: str) -> None:
        round_ = sorted(candidates, key=attrgetter("id"))
        start = zlib.crc32(seed.encode()) % len(round_) if round_ else 0
        for candidate in reversed((*round_[start:], *round_[:start])):
            self._current[candidate.id] = candidate
            where = self._where(candidate)
            place = self._places.get(where)
            if place is None:
                place = self._places[where] = _Place()
            place.unknown.append(candidate)
            if tasks := candidate.groups.get(self._group):
                for counts, value in zip(self._counts, self._values(where), strict=True):
                    counts[value] += tasks

    def _head(self, where: Where) -> Entry | None:
        """The best of a place."""
        place = self._places[where]
        while True:
            while place.fit and self._current[place.fit[0][2].id] is not place.fit[0][2]:
                heapq.heappop(place.fit)
            if place.fit and (not place.unknown or place.fit[0][0] == self._unbeaten):
                return place.fit[0]
            if not place.unknown:
                return None
            candidate = place.unknown.pop()
            if self._current[candidate.id] is candidate:
                self._look_at(place, candidate)

    def _look_at(self, place: _Place, candidate: Candidate) -> None:
        if self._fits(candidate):
            ranks = tuple([rank(candidate) for rank in self._own])
            heapq.heappush(place.fit, (ranks, next(self._numbers), candidate))

    def _full_key(self, head: tuple[Where, Entry]) -> tuple[int, ...]:
        """Shared and own ranks in the order of the strategies, then the turn."""
        where, (own_ranks, number, _) = head
        shared = iter(zip(self._counts, self._values(where), strict=True))
        own = iter(own_ranks)
        ranks = []
        for strategy in self._ranked:
            if _is_shared(strategy):
                counts, value = next(shared)
                ranks.append(counts[value])
            else:
                ranks.append(next(own))
        return (*ranks, number)

    def _rank_by(self, strategy: PlacementStrategy) -> Rank:
        """How a strategy ranks a candidate for itself; the least wins."""
        match strategy.type, (strategy.field or "").lower():
            case "spread", _:
                return lambda candidate: candidate.groups.get(self._group, 0)
            case "binpack", "cpu":
                return lambda candidate: candidate.free.cpu
            case "binpack", _:
                return lambda candidate: candidate.free.memory
            case _:
                return lambda _: 0

    def _where(self, candidate: Candidate) -> Where:
        """The place of a candidate: its value of the attribute, or of all where there are more."""
        values = candidate.attributes
        if len(self._attributes) == 1:
            return values.get(self._attributes[0])
        return tuple([values.get(name) for name in self._attributes])

    def _values(self, where: Where) -> tuple[str | None, ...]:
        return where if isinstance(where, tuple) else (where,)


def _is_shared(strategy: PlacementStrategy) -> bool:
    """Whether it spreads over an attribute that many instances have in common."""
    return strategy.type == "spread" and (strategy.field or "").startswith("attribute:")
