"""What real engines tell of the output of containers, for the awslogs driver."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openecs.model.task_definitions import LogConfiguration
from openecs.runtime import log_driver

SECOND = 1_000_000_000
DRIVER, OPTIONS = log_driver.engine_driver(LogConfiguration(log_driver="awslogs"))
REAL = [pytest.param(engine, marks=pytest.mark.engine) for engine in ("docker", "podman")]
PRINTS = ("sh", "-c", "echo one; echo; sleep 0.1; echo two >&2; sleep 0.1; printf three")


async def printed(world, name, since=0):
    id_ = (await world.runtime.inspect(name)).id
    return [piece async for pieces in world.runtime.output(id_, since) for piece in pieces]


@pytest.mark.parametrize("world", REAL, indirect=True)
@pytest.mark.parametrize("tty", [False, True])
async def test_output_is_told_to_its_end_with_times(world, tty):
    name = await world.started(command=PRINTS, log_driver=DRIVER, log_options=OPTIONS, tty=tty)
    # Who follows a container to its end looks once more: engines may drop the last piece.
    await printed(world, name)
    await world.runtime.stop(name, timedelta(seconds=1))
    pieces = await printed(world, name)
    assert sorted(piece.text for piece in pieces) == [b"", b"one", b"three", b"two"]
    assert await printed(world, name) == pieces
    second = max(piece.at for piece in pieces) // SECOND * SECOND
    assert await printed(world, name, second) == [p for p in pieces if p.at >= second]
    assert await printed(world, name, second + 10 * SECOND) == []


@pytest.mark.parametrize("world", REAL, indirect=True)
async def test_a_container_that_is_not_there_has_printed_nothing(world):
    assert [each async for each in world.runtime.output("none", 0)] == []
