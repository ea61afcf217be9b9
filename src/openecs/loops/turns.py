"""Turns at something that few can use at once: nobody waits behind another's long queue."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most ``places`` at a time; the parties that wait take turns, each in its own order.

    Fair by parties, not by arrival: one that asks a hundred times delays another that asks once by
    one turn. Nagle, "On Packet Switches With Infinite Storage", RFC 970, 1985.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, party: str) -> AsyncIterator[None]:
        """A place, held until the block ends; waits for one."""
        await self._enter(party)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, party: str) -> None:
        if self._free:
            self._free -= 1
            return
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                # The place was given already: pass it on.
                self._leave()
            raise

    def _leave(self) -> None:
        """Give the place to who waits in the party whose turn it is."""
        while self._waiting:
            party, queue = self._waiting.popitem(last=False)
            waiting = queue.popleft()
            if queue:
                self._waiting[party] = queue
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1
