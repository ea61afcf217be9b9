"""Services through hours of trouble, told by seeds: the rules hold, and all is well in the end.

``OPENECS_SIMULATION_SEEDS=5000`` tells that many stories, ``OPENECS_SIMULATION_SEED=17`` tells one,
with everything that happened in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openecs.testing.simulation import virtual_time
from simulation.story import Story

KEPT = Path(__file__).with_name("seeds.txt")
STORIES = 60

SEED = os.environ.get("OPENECS_SIMULATION_SEED")
COUNT = int(os.environ.get("OPENECS_SIMULATION_SEEDS", STORIES))


@pytest.mark.timeout(180 + COUNT)
def test_services_survive_their_stories():
    """A seed that fails is kept in seeds.txt: the first to be told from then on."""
    for seed in _seeds():
        story = Story(seed)
        wrong = _tell(story)
        if wrong:
            _keep(seed, wrong[0])
            rerun = f"OPENECS_SIMULATION_SEED={seed} pytest -s {__file__}"
            pytest.fail("\n".join([f"seed {seed}: {rerun}", *wrong, "", *story.told]))


def _seeds() -> Iterator[int]:
    if SEED is not None:
        yield int(SEED)
        return
    kept = _kept()
    yield from kept
    yield from (seed for seed in range(COUNT) if seed not in kept)


def _kept() -> list[int]:
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return [int(words[0]) for line in lines if (words := line.partition("#")[0].split())]


def _tell(story: Story) -> list[str]:
    """What went wrong in a story; deadlock and livelock are wrong too."""
    try:
        wrong = virtual_time.run(story.run)
    except RuntimeError as error:
        wrong = [repr(error)]
    if SEED is not None:
        print(*story.told, *story.events(), sep="\n")
    return wrong


def _keep(seed: int, why: str) -> None:
    if seed not in _kept():
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(f"{seed}  # {why}\n")
