"""How long a service is without its task when that task's container is killed.

From the death of the container to the start of the next, as the engine's own events tell them:
OpenECS, in turns with a bare create and start of the same container; Docker's Swarm mode with its
default settings; ministack by the same client and steps as OpenECS. Then a service from 0 to 10
containers. One after the other, so that none is disturbed by what another does while it is idle.

    python -m benchmarks.healing [--rounds 12]
"""

from __future__ import annotations

import argparse
import math
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks import by_hand, ecs_services, servers, swarm
from benchmarks.ecs_services import COMMAND, IMAGE, label_of
from benchmarks.engine_api import Engine
from benchmarks.engine_events import EngineEvents, NeverHappened
from benchmarks.servers import Server

#: A service whose tasks keep ending right after their start is made to wait; these are not.
KILLS_A_SERVICE = 3
GROWN, GROWTHS = 10, 3
#: Between two kills, so that nothing of the last is still under way.
PAUSE = 1.5
NEVER_AFTER = 60.0
#: Requests at once by hand: about where engines are at their best.
AT_ONCE = 4
#: The goals: at most so many times as long as by hand; at least so many times as fast as Swarm
#: mode, and as ministack from 0 to ten.
BARE, SWARM, GROWTH = 1.5, 5.0, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds, one a round; infinite where it did not happen."""

    name: str
    healed: list[float] = field(default_factory=list)
    grown: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    rounds = parser.parse_args().rounds
    # Whoever ends the benchmark, the engine is left as it was.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ecs_services.image():
        _report(*_compare(rounds))


def _compare(rounds: int) -> tuple[Measured, Measured, Measured, Measured]:
    bare, own = Measured(name="bare create and start"), Measured(name="OpenECS")
    peer = Measured(name="ministack")
    families = [*_families(rounds), *_growing()]
    with (
        servers.data_directory() as data,
        ecs_services.cleared(*families),
        servers.openecs(data, "--log-level", "error") as server,
    ):
        _measure(server, rounds, own, bare)
    in_swarm = _measure_swarm(rounds)
    with ecs_services.cleared(*families), servers.ministack() as server:
        _measure(server, rounds, peer)
    return bare, own, in_swarm, peer


def _measure(server: Server, rounds: int, into: Measured, bare: Measured | None = None) -> None:
    ecs, engine = server.ecs(), Engine()
    ecs.create_cluster(clusterName=ecs_services.CLUSTER)
    for family in _families(rounds):
        ecs_services.register(ecs, family)
        ecs_services.create(ecs, family, 1)
    body = by_hand.body(_families(1)[0])
    for number in range(rounds):
        if bare is not None:
            time.sleep(PAUSE)
            bare.healed.append(by_hand.start(body))
        time.sleep(PAUSE)
        family = _families(rounds)[number // KILLS_A_SERVICE]
        into.healed.append(_heal(engine, label_of(family)))
        if math.isinf(into.healed[-1]):
            into.healed.extend([math.inf] * (rounds - number - 1))
            break
        ecs_services.await_running(ecs, family, 1)
    for family in _families(rounds):
        ecs_services.delete(ecs, family)
    for family in _growing():
        if bare is not None:
            bare.grown.append(by_hand.start(body, GROWN, at_once=AT_ONCE))
        into.grown.append(_grow(ecs, family))


def _measure_swarm(rounds: int) -> Measured:
    measured, engine = Measured(name="Docker Swarm mode"), Engine()
    with swarm.service(IMAGE, COMMAND) as label:
        for _ in range(rounds):
            time.sleep(PAUSE)
            measured.healed.append(_heal(engine, label))
    return measured


def _families(rounds: int) -> list[str]:
    return [f"healing-{number}" for number in range(math.ceil(rounds / KILLS_A_SERVICE))]


def _growing() -> list[str]:
    return [f"growing-{number}" for number in range(GROWTHS)]


def _heal(engine: Engine, label: str) -> float:
    """Kill the only container with the label; the seconds from its death to the next's start."""
    (container,) = engine.running(label)
    with EngineEvents() as events:
        engine.kill(container)
        died = events.until(
            lambda e: e.action == "die" and e.container == container, within=NEVER_AFTER
        )
        try:
            started = events.until(lambda e: ecs_services.is_start(e, label), within=NEVER_AFTER)
        except NeverHappened:
            return math.inf
    return started.at - died.at


def _grow(ecs: Any, family: str) -> float:
    """The seconds from the request for ten containers to the start of the tenth."""
    ecs_services.register(ecs, family)
    ecs_services.create(ecs, family, 0)
    time.sleep(PAUSE)
    with EngineEvents() as events:
        begun = time.time()
        ecs_services.scale(ecs, family, GROWN)
        try:
            starts = [
                events.until(
                    lambda e: ecs_services.is_start(e, label_of(family)), within=NEVER_AFTER
                )
                for _ in range(GROWN)
            ]
        except NeverHappened:
            return math.inf
    ecs_services.delete(ecs, family)
    return starts[-1].at - begun


def _report(bare: Measured, own: Measured, in_swarm: Measured, peer: Measured) -> None:
    print(f"{len(own.healed)} kills, {GROWTHS} times 0 to {GROWN}; medians (fastest to slowest)\n")
    print(f"| | Killed to running again | 0 to {GROWN} containers |")
    print("| --- | ---: | ---: |")
    for each in (bare, own, in_swarm, peer):
        print(f"| {each.name} | {_told(each.healed)} | {_told(each.grown)} |")
    ratio = statistics.median(a / b for a, b in zip(own.healed, bare.healed, strict=True))
    print(f"\nOpenECS heals in {ratio:.2f} times the bare engine's time, {_met(ratio <= BARE)}")
    slower = statistics.median(in_swarm.healed) / statistics.median(own.healed)
    print(f"Swarm mode takes {slower:.1f} times as long as OpenECS, {_met(slower >= SWARM)}")
    faster = sum(a < b for a, b in zip(own.healed, peer.healed, strict=True))
    told = f"OpenECS heals faster than ministack in {faster} of {len(own.healed)} rounds"
    print(f"{told}, {_met(faster == len(own.healed))}")
    slower = statistics.median(peer.grown) / statistics.median(own.grown)
    print(f"ministack takes {slower:.1f} times as long for 0 to {GROWN}, {_met(slower >= GROWTH)}")


def _told(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    if math.isinf(statistics.median(seconds)):
        return f"never within {NEVER_AFTER:.0f} s"
    shown = (statistics.median(seconds), min(seconds), max(seconds))
    middle, fastest, slowest = (f"{1000 * one:.0f}" for one in shown)
    return f"{middle} ms ({fastest} to {slowest})"


def _met(is_met: bool) -> str:  # noqa: FBT001 - reads as a sentence where it is called
    return "goal met" if is_met else "goal NOT MET"


if __name__ == "__main__":
    main()
