"""Which of the instances that can take a task does: strategies as sort keys, the least wins.

Several strategies rank in order, as ECS does with ``placementStrategy``. Without any, tasks spread
over availability zones, then instances. Developer Guide, "Amazon ECS task placement strategies".
"""

from __future__ import annotations

import heapq
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import count

from openecs.decide.placement.ask import Ask
from openecs.decide.placement.candidates import Candidate
from openecs.model.task_definitions import PlacementStrategy

ZONE = "attribute:ecs.availability-zone"
DEFAULT = (
    PlacementStrategy(type="spread", field=ZONE),
    PlacementStrategy(type="spread", field="instanceId"),
)

Place = tuple[str | None, ...]
#: From a candidate and its throw of the dice.
Rank = Callable[[Candidate, int], int]


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


#: A candidate in the heap of its group, by its own ranks and the dice; the number keeps apart what
#: is equal. One that has changed since it was put there is passed over.
Entry = tuple[tuple[int, ...], int, Candidate]


class Ranking:
    """The candidates that fit, the best first; placing a task on one changes the order.

    Attributes to spread over are shared: candidates equal in all of them form a group, and inside
    it only their own ranks (tasks on the instance, what it has left, the dice) differ. So a
    placement touches one group, and the best is the best of the groups' heads. ``everywhere`` are
    all instances of the cluster: tasks on one that is full count in its zone all the same.
    """

    def __init__(
        self,
        ask: Ask,
        ranked_by: tuple[PlacementStrategy, ...],
        seed: str,
        everywhere: Iterable[Candidate],
    ) -> None:
        self._group = ask.group
        self._ranked = ranked_by or DEFAULT
        self._dice = zlib.crc32(seed.encode())
        self._attributes = tuple(
            (s.field or "").removeprefix("attribute:") for s in self._ranked if _is_shared(s)
        )
        self._own = tuple(self._rank_by(s) for s in self._ranked if not _is_shared(s))
        self._counts: tuple[Counter[str | None], ...] = tuple(Counter() for _ in self._attributes)
        self._heaps: defaultdict[Place, list[Entry]] = defaultdict(list)
        self._fit: dict[str, Candidate] = {}
        self._numbers = count()
        for candidate in everywhere:
            if tasks := candidate.groups.get(ask.group):
                self._count(candidate, tasks)

    def fit(self, candidates: Iterable[Candidate]) -> None:
        """The candidates take the task, in this state."""
        for candidate in candidates:
            self._fit[candidate.id] = candidate
            dice = zlib.crc32(candidate.id.encode(), self._dice)
            key = (*[rank(candidate, dice) for rank in self._own], dice)
            entry = (key, next(self._numbers), candidate)
            heapq.heappush(self._heaps[self._place(candidate)], entry)

    def refuses(self, candidate: Candidate) -> None:
        """The candidate does not take it, or not any more."""
        self._fit.pop(candidate.id, None)

    def placed(self, candidate: Candidate) -> None:
        """One more of the tasks is where the candidate is."""
        self._count(candidate, 1)

    def best(self) -> Candidate | None:
        """The best of those that fit, or None of none. Ties are broken by the seed."""
        heads = [head for place in list(self._heaps) if (head := self._head(place))]
        if not heads:
            return None
        return min(heads, key=self._full_key)[2]

    def _head(self, place: Place) -> Entry | None:
        heap = self._heaps[place]
        while heap and self._fit.get(heap[0][2].id) is not heap[0][2]:
            heapq.heappop(heap)
        if heap:
            return heap[0]
        del self._heaps[place]
        return None

    def _full_key(self, entry: Entry) -> tuple[int, ...]:
        """Shared and own ranks in the order of the strategies, then the dice."""
        own_ranks, _, candidate = entry
        shared = iter(zip(self._counts, self._place(candidate), strict=True))
        own = iter(own_ranks)
        ranks = []
        for strategy in self._ranked:
            if _is_shared(strategy):
                counts, place = next(shared)
                ranks.append(counts[place])
            else:
                ranks.append(next(own))
        return (*ranks, *own)

    def _rank_by(self, strategy: PlacementStrategy) -> Rank:
        """How a strategy ranks a candidate for itself; the least wins."""
        match strategy.type, (strategy.field or "").lower():
            case "spread", _:
                return lambda candidate, _: candidate.groups.get(self._group, 0)
            case "binpack", "cpu":
                return lambda candidate, _: candidate.free.cpu
            case "binpack", _:
                return lambda candidate, _: candidate.free.memory
            case _:
                return lambda _, dice: dice

    def _place(self, candidate: Candidate) -> Place:
        return tuple([candidate.attributes.get(name) for name in self._attributes])

    def _count(self, candidate: Candidate, tasks: int) -> None:
        for counts, place in zip(self._counts, self._place(candidate), strict=True):
            counts[place] += tasks


def _is_shared(strategy: PlacementStrategy) -> bool:
    """Whether it spreads over an attribute that many instances have in common."""
    return strategy.type == "spread" and (strategy.field or "").startswith("attribute:")
