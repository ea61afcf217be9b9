"""The composition root: the only place that knows concrete classes, the clock and the dice.

Starts in stages (store, engine, node, door), stops them in reverse; containers outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
from typing import TYPE_CHECKING

import uvloop

from openecs.app import inside, machine, stores
from openecs.app.door import Parts, Server, gateway, listen
from openecs.app.identity import SystemIds, now
from openecs.app.loops import ControlPlane
from openecs.authority import LocalAuthority
from openecs.root_keys import RootKeys, root_keys

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from openecs.config import Settings

__all__ = ["SystemIds", "now", "run"]


def run(settings: Settings, *, on_ready: Callable[[Settings, RootKeys], None]) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit status.

    ``on_ready`` is called once the door is open.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[Settings, RootKeys], None]) -> int:
    _allow_open_files()
    _look_for_garbage_seldom()
    async with contextlib.AsyncExitStack() as stack:
        door = stack.enter_context(listen(settings))
        keys = root_keys(settings)
        keys.ensure(settings.account_id)
        kept = await stack.enter_async_context(stores.opened(settings))
        runtime = await stack.enter_async_context(machine.engine(settings))
        within = await inside.listen(settings)
        stack.callback(within.close)
        node, answers = machine.node(settings, kept, runtime, within.endpoint)
        if settings.ephemeral:
            await node.empty()
            stack.push_async_callback(node.empty)
        await node.register()
        authority = LocalAuthority(settings.directory)
        control = ControlPlane(settings, kept, authority)
        edge = machine.edge(settings, kept.resources)
        if settings.ephemeral:
            stack.callback(edge.stop)
        parts = Parts(node, control, edge, authority, within.refusal)
        handlers = gateway(settings, kept, keys, parts)
        served = inside.dispatching(handlers, answers, within.endpoint)
        server = Server(served, handlers, lambda: on_ready(settings, keys))
        measures = machine.measures(settings, kept, runtime)
        traffic = machine.traffic(settings, kept, edge)
        loops = [node.run(), measures.run(), control.run(), edge.run(), traffic.run()]
        await _work(server, [door, *within.sockets], loops)
    return 0


async def _work(
    server: Server, doors: list[socket.socket], loops: list[Coroutine[None, None, None]]
) -> None:
    """Serve while the loops run; when one of them dies of a bug, so does the process, loudly."""
    events = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        events.add_signal_handler(number, setattr, server, "should_exit", True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        await server.serve(sockets=doors)
        for task in tasks:
            task.cancel()


def _look_for_garbage_seldom() -> None:
    """A request of a thousand datapoints is a hundred thousand objects, and none in a cycle."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 50)


def _allow_open_files() -> None:
    """As many as the system lets us: each target that hangs in a health check holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
