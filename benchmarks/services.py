"""A service from 0 to 50 tasks against the bare engine, and rolling updates within their bounds.

Everything is told by the engine's own events. By hand the same containers are made with as many
requests at once as the engine takes best; the two take turns, and of the pairs' ratios the median
is told. A rolling update of ten tasks is followed container by container: how many ran at every
instant must stay within what minimumHealthyPercent and maximumPercent promise.

    python -m benchmarks.services [--rounds 3]
"""

from __future__ import annotations

import argparse
import signal
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks import by_hand, ecs_services, servers
from benchmarks.ecs_services import is_start, label_of
from benchmarks.engine_events import EngineEvents, Event, NeverHappened
from openecs.decide.services.bounds import Bounds, bounds
from openecs.model.services import DeploymentConfiguration

MANY, ROLLED = 50, 10
CONCURRENCIES = (2, 4, 8)
RATE_GOAL = 0.8
#: minimumHealthyPercent and maximumPercent.
CONFIGURATIONS = ((100, 200), (50, 100), (100, 150))
#: Seconds: when a task counts as healthy, so that an update does not take minutes.
HEALTHY_AFTER = 1
#: How long is looked on once the update is over: nothing more may happen.
AFTERWARDS = 2.0
WITHIN = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """The fewest and the most containers that ran at any instant, and how long it took."""

    fewest: int
    most: int
    seconds: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    families = ["model", *_grown(rounds), *map(_rolled, CONFIGURATIONS)]
    with (
        servers.data_directory() as data,
        ecs_services.image(),
        ecs_services.cleared(*families),
        servers.openecs(
            data, "--log-level=error", deployment_healthy_after=HEALTHY_AFTER
        ) as server,
    ):
        ecs = server.ecs()
        ecs.create_cluster(clusterName=ecs_services.CLUSTER)
        _compare_growth(ecs, rounds)
        for configuration in CONFIGURATIONS:
            _check_update(ecs, *configuration)


def _grown(rounds: int) -> list[str]:
    return [f"many-{number}" for number in range(rounds)]


def _rolled(configuration: tuple[int, int]) -> str:
    least, most = configuration
    return f"rolled-{least}-{most}"


def _compare_growth(ecs: Any, rounds: int) -> None:
    ecs_services.register(ecs, "model")
    ecs_services.create(ecs, "model", 1)
    made = by_hand.body("model")
    ecs_services.delete(ecs, "model")
    rates = {each: MANY / by_hand.start(made, MANY, at_once=each) for each in CONCURRENCIES}
    best = max(rates, key=lambda each: rates[each])
    ours, theirs = [], []
    for family in _grown(rounds):
        theirs.append(MANY / by_hand.start(made, MANY, at_once=best))
        ours.append(MANY / _grow(ecs, family))
    ratio = statistics.median(own / bare for own, bare in zip(ours, theirs, strict=True))
    print(
        f"0 to {MANY} tasks: {statistics.median(ours):.1f} containers/s, by hand "
        f"{statistics.median(theirs):.1f}/s at {best} at a time, ratio {ratio:.2f} "
        f"(goal {RATE_GOAL}: {'met' if ratio >= RATE_GOAL else 'NOT MET'})",
        flush=True,
    )


def _grow(ecs: Any, family: str) -> float:
    """Seconds from the request for fifty to the start of the fiftieth."""
    ecs_services.register(ecs, family)
    ecs_services.create(ecs, family, 0)
    with EngineEvents() as events:
        begun = time.time()
        ecs_services.scale(ecs, family, MANY)
        for _ in range(MANY):
            last = events.until(lambda e: is_start(e, label_of(family)), within=WITHIN)
    ecs_services.delete(ecs, family)
    return last.at - begun


def _check_update(ecs: Any, least: int, most: int) -> None:
    configuration = {"minimumHealthyPercent": least, "maximumPercent": most}
    family = _rolled((least, most))
    ecs_services.register(ecs, family)
    ecs_services.create(ecs, family, ROLLED, configuration)
    ecs_services.await_completed(ecs, family)
    rolled = _update(ecs, family)
    promised = bounds(
        ROLLED, DeploymentConfiguration(minimum_healthy_percent=least, maximum_percent=most)
    )
    print(_told(f"{least}/{most}", rolled, promised), flush=True)
    ecs_services.delete(ecs, family)


def _update(ecs: Any, family: str) -> Rolled:
    definition = ecs_services.register(ecs, family)
    with EngineEvents() as events:
        begun = time.time()
        ecs.update_service(cluster=ecs_services.CLUSTER, service=family, taskDefinition=definition)
        for _ in range(2 * ROLLED):
            last = events.until(lambda e: _is_of(e, family), within=WITHIN)
        try:
            events.until(lambda _: False, within=AFTERWARDS)
        except NeverHappened:
            counts = _running([each for each in events.seen if _is_of(each, family)])
    return Rolled(fewest=min(counts), most=max(counts), seconds=last.at - begun)


def _is_of(event: Event, family: str) -> bool:
    return event.labels.get(ecs_services.FAMILY_LABEL) == family


def _running(events: Iterable[Event]) -> list[int]:
    """How many ran, from the beginning and after every event."""
    counts = [ROLLED]
    for event in events:
        counts.append(counts[-1] + (1 if event.action == "start" else -1))
    return counts


def _told(name: str, rolled: Rolled, promised: Bounds) -> str:
    kept = promised.floor <= rolled.fewest and rolled.most <= promised.ceiling
    return (
        f"rolling update {name} of {ROLLED} tasks: {rolled.fewest} to {rolled.most} containers ran "
        f"at any instant, promised {promised.floor} to {promised.ceiling}: "
        f"{'kept' if kept else 'NOT KEPT'}; {rolled.seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
