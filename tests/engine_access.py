"""A real engine for tests: found or skipped, and left as it was."""

import asyncio
import os
import time

import pytest

from openecs.runtime.base import EngineUnavailable, Runtime
from openecs.runtime.docker import DockerRuntime


class Work:
    """Commands of busybox containers."""

    #: Ends with 0 within a moment of SIGTERM, and runs until then.
    WAITS = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")
    FAILS = ("sh", "-c", "exit 3")
    IGNORES_STOP = ("sh", "-c", "trap '' TERM; while :; do sleep 0.05; done")
    NO_PROGRAM = ("/no/such/program",)
    IS_WELL = ("sh", "-c", "touch /well; trap 'exit 0' TERM; while :; do sleep 0.05; done")
    BURNS = ("sh", "-c", "while :; do :; done")
    IS_ILL = ("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done # and not well")


async def docker_runtime(host: str = "") -> DockerRuntime:
    """The engine, connected; without one the test is skipped, or fails where CI is set."""
    runtime = DockerRuntime(host)
    try:
        await runtime.open()
        await runtime.ping()
    except EngineUnavailable as error:
        await runtime.close()
        if os.environ.get("CI"):
            pytest.fail(f"no engine: {error.message}")
        pytest.skip(f"no engine: {error.message}")
    return runtime


async def clean(runtime: Runtime, installation: str) -> None:
    """Remove all containers of an installation."""
    for observed in await runtime.observe(installation):
        await runtime.remove(observed.name)


async def when(runtime: Runtime, name: str, holds, within: float = 20.0):
    """The observation of a container once ``holds`` is true of it."""
    deadline = time.monotonic() + within
    while True:
        observed = await runtime.inspect(name)
        if observed is not None and holds(observed):
            return observed
        assert time.monotonic() < deadline, f"not within {within} s: {observed}"
        await asyncio.sleep(0.02)
