"""Security groups enforced: the packet filter of the host kept at what is stored.

The table is this installation's own and is replaced whole. It stays when OpenECS ends, as the tasks
do that it guards.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from functools import partial

import structlog

from openecs.api.ec2 import prefix_lists, task_interfaces
from openecs.decide.packet_filter import Guarded, ruleset
from openecs.model.network import SecurityGroup
from openecs.model.tasks import Task
from openecs.node.places import groups_of
from openecs.store.base import Change, FeedTruncated, Store, StoreError, View
from openecs.store.kinds import SECURITY_GROUPS, TASKS
from openecs.store.network import PREFIX_LISTS

log = structlog.get_logger(__name__)

_NFT = "nft"
_RETRY = 1.0


class PacketFilter:
    """The packet filter of this machine, for the tasks of ``machine``."""

    def __init__(self, store: Store, *, installation: str, machine: str) -> None:
        self._store = store
        self._machine = machine
        self._table = table_of(installation)
        #: Tasks whose interface is about to be: their addresses.
        self._coming: dict[str, tuple[Task, str]] = {}
        #: None: nobody knows; the first look shows whether the host lets us.
        self._applied: str | None = None
        #: Why security groups are not enforced; None: they are.
        self.refusal: str | None = None
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Follow what is stored until cancelled."""
        while True:
            try:
                revision = await self._store.read(lambda view: view.revision)
                await self._refresh()
                async for batch in self._store.follow(revision):
                    if await self._store.read(partial(_matters, batch)):
                        await self._refresh()
            except FeedTruncated:
                log.warning("changes were missed, looking at every network interface")
            except StoreError as error:
                log.warning("packet filter waits", reason=str(error))
                await asyncio.sleep(_RETRY)

    async def admit(self, task: Task, address: str) -> None:
        """Guard a task's address before anything of it runs."""
        self._coming[task.arn] = (task, address)
        await self._refresh()

    async def _refresh(self) -> None:
        async with self._turn:
            wanted = ruleset(self._table, await self._store.read(self._guarded))
            if wanted != self._applied and await self._apply(wanted):
                self._applied = wanted

    def _guarded(self, view: View) -> list[Guarded]:
        tasks = view.find(TASKS, None, "machine", (self._machine,))
        found = {one.task.arn: one for one in task_interfaces.among(tasks)}
        live = {task.arn for task in tasks}
        for arn in [arn for arn in self._coming if arn in found or arn not in live]:
            del self._coming[arn]
        guarded = [
            Guarded(one.address, _enforced(view, task_interfaces.security_groups(view, one)))
            for one in found.values()
        ]
        coming = (
            Guarded(address, _enforced(view, groups_of(view, task)))
            for task, address in self._coming.values()
        )
        return [*guarded, *coming]

    async def _apply(self, wanted: str) -> bool:
        """Whether the host's packet filter took it; that it does not is told once."""
        try:
            process = await asyncio.create_subprocess_exec(
                _NFT,
                "-f",
                "-",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await process.communicate(wanted.encode())
        except FileNotFoundError:
            return self._refused("nft is not installed (Debian: apt-get install nftables)")
        if process.returncode:
            return self._refused(said.decode(errors="replace").strip())
        self.refusal = None
        return True

    def _refused(self, why: str) -> bool:
        if self.refusal is None:
            log.warning("security groups are not enforced", reason=why)
        self.refusal = why
        return False


def table_of(installation: str) -> str:
    """The name of an installation's table in the host's packet filter."""
    return f"openecs_{hashlib.sha256(installation.encode()).hexdigest()[:8]}"


def _enforced(view: View, groups: Iterable[SecurityGroup]) -> tuple[SecurityGroup, ...]:
    return tuple(prefix_lists.enforced(view, group) for group in groups)


def _matters(batch: Sequence[Change], view: View) -> bool:
    """Whether they are of security groups, prefix lists, tasks with interfaces or tasks gone."""
    for change in batch:
        if change.kind in {SECURITY_GROUPS.name, PREFIX_LISTS.name}:
            return True
        if change.kind == TASKS.name:
            task = view.get(TASKS, change.scope, change.key)
            if task is None or task.attachments:
                return True
    return False
