"""Commands with a terminal in running containers."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine_access import Work
from openecs.runtime.base import CannotExecute
from openecs.runtime.terminals import ExecSpec

DOCKER = [pytest.param("docker", marks=pytest.mark.engine)]
BOTH = ["simulated", *DOCKER]
ENDS = ExecSpec(command=("sh", "-c", "echo $GREETING; exit 3"), environment={"GREETING": "hello"})


async def executed(world, spec, **members):
    name = await world.started(command=Work.WAITS, **members)
    return await world.runtime.execute((await world.runtime.inspect(name)).id, spec)


async def until(output, text: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(20):
        while text not in seen:
            seen += await anext(output)
    return seen


async def when_ended(terminal) -> int:
    deadline = time.monotonic() + 20
    while (code := await terminal.exit_code()) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return code


@pytest.mark.parametrize("world", BOTH, indirect=True)
async def test_a_command_prints_and_ends(world):
    terminal = await executed(world, ENDS)
    assert b"".join([piece async for piece in terminal.output()]) == b"hello\r\n"
    assert await terminal.exit_code() == 3
    await terminal.resize(rows=1, columns=1)
    await terminal.write(b"nobody listens")
    await terminal.hang_up()


@pytest.mark.parametrize("world", BOTH, indirect=True)
async def test_what_is_typed_appears(world):
    terminal = await executed(world, ExecSpec(command=("cat",)))
    output = terminal.output()
    await terminal.write(b"one\n")
    await until(output, b"one")
    assert await terminal.exit_code() is None
    await terminal.write(b"\x04")
    async for _ in output:
        pass
    assert await terminal.exit_code() == 0
    await terminal.hang_up()


@pytest.mark.parametrize("world", BOTH, indirect=True)
async def test_hanging_up_ends_the_command(world):
    terminal = await executed(world, ExecSpec(command=("cat",)))
    assert await terminal.exit_code() is None
    await terminal.hang_up()
    assert await when_ended(terminal) == 129


@pytest.mark.parametrize("world", BOTH, indirect=True)
async def test_nothing_runs_in_a_container_that_is_not_there(world):
    with pytest.raises(CannotExecute):
        await world.runtime.execute("none", ENDS)


@pytest.mark.parametrize("world", DOCKER, indirect=True)
async def test_it_is_a_real_terminal(world):
    terminal = await executed(world, ExecSpec(command=("sh",), user="0"))
    output = terminal.output()
    await until(output, b"# ")
    await terminal.resize(rows=31, columns=101)
    await terminal.write(b"stty size\n")
    await until(output, b"31 101")
    await until(output, b"# ")
    await terminal.write(b"echo bu''sy; cat\n")
    await until(output, b"busy")
    await terminal.write(b"\x03")
    await until(output, b"# ")
    await terminal.write(b"exit 7\n")
    async for _ in output:
        pass
    assert await terminal.exit_code() == 7
    await terminal.hang_up()


@pytest.mark.parametrize("world", DOCKER, indirect=True)
async def test_a_program_that_is_not_there_says_so(world):
    terminal = await executed(world, ExecSpec(command=("/no/such/program",)))
    said = b"".join([piece async for piece in terminal.output()])
    assert b"no such file" in said
    assert await terminal.exit_code() in {126, 127}
    await terminal.hang_up()
