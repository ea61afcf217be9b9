"""Containers like those of a service, made by hand: what the engine takes when nobody stands by."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.ecs_services import label_of
from benchmarks.engine_api import Body, Engine, body_like
from benchmarks.engine_events import EngineEvents

LABEL = "bench.by-hand"
WITHIN = 60.0


def body(family: str) -> Body:
    """What makes a container that is the same as those of a family, and nobody's."""
    engine = Engine()
    made = body_like(engine.inspect(engine.running(label_of(family))[0]))
    return {**made, "Labels": {**made["Labels"], LABEL: ""}}


def start(made: Body, count: int = 1, *, at_once: int = 1) -> float:
    """Seconds from the first request to the last container's start; they are removed again."""
    with EngineEvents() as events:
        begun = time.time()
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda _: Engine().start(made), range(count)))
        for _ in range(count):
            last = events.until(lambda e: e.action == "start" and LABEL in e.labels, within=WITHIN)
    engine = Engine()
    engine.remove(engine.labelled(LABEL))
    return last.at - begun
