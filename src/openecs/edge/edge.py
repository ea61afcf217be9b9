"""The loop that keeps Envoy at what load balancers, rules and targets are stored as.

New clusters come before the routes that need them, and old ones go after: no request finds a gap.
A change of targets is one small file. Everything is made anew from the store after a crash.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from openecs.edge import clusters, snapshot
from openecs.edge.clusters import endpoints_file
from openecs.edge.deliveries import Deliveries
from openecs.edge.doors import held
from openecs.edge.envoy import Envoy, EnvoyUnavailable
from openecs.edge.functions import Functions, socket_of
from openecs.edge.listeners import notes_directory
from openecs.edge.providers import known_authorities
from openecs.edge.publisher import Publisher
from openecs.edge.snapshot import CLUSTERS, LISTENERS_FILE, Doors, Site, Snapshot, World
from openecs.model.identity import Scope
from openecs.model.load_balancing import LoadBalancerState, LoadBalancerStateCode, TargetType
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import (
    CERTIFICATES,
    LISTENERS,
    LOAD_BALANCER_STATES,
    LOAD_BALANCERS,
    RULES,
    SECURITY_GROUPS,
    SERVER_CERTIFICATES,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
    TASKS,
    TRUST_STORES,
)
from openecs.store.network import PREFIX_LISTS

log = structlog.get_logger(__name__)

#: How long what failed is left alone, and what Envoy could not bind.
RETRY, REBIND = timedelta(seconds=1), timedelta(seconds=5)
#: Seconds that Envoy may take to take a file.
_TAKEN_WITHIN, _ASKED_EVERY = 10.0, 0.005

_ROUTING = frozenset(
    kind.name
    for kind in (
        LOAD_BALANCERS,
        LISTENERS,
        RULES,
        SECURITY_GROUPS,
        PREFIX_LISTS,
        TARGET_GROUPS,
        CERTIFICATES,
        SERVER_CERTIFICATES,
        TRUST_STORES,
    )
)
_ENDPOINTS = frozenset(kind.name for kind in (TARGETS, TARGET_HEALTH))

Group = tuple[Scope, str]
#: By their names.
Files = Mapping[str, Sequence[dict[str, Any]]]


class Edge:
    """The load balancers of an installation on this machine.

    ``directory`` is where Envoy's files are, ``logs`` where access logs are delivered to,
    ``lambda_url`` where functions are invoked.
    """

    def __init__(
        self,
        *,
        store: Store,
        directory: Path,
        logs: Path,
        doors: Doors,
        clock: Callable[[], datetime],
        lambda_url: str = "",
    ) -> None:
        self._store = store
        self._xds = directory / "xds"
        self._xds.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._site = Site(doors, self._xds, authorities=known_authorities())
        self.envoy = Envoy(directory)
        self._publisher = Publisher(self._xds)
        self._functions = Functions(store=store, socket=socket_of(self._xds), url=lambda_url)
        notes = notes_directory(self._xds)
        self.deliveries = Deliveries(envoy=self.envoy, notes=notes, logs=logs, clock=clock)
        #: The ARNs of the target groups that get traffic.
        self._used: dict[Group, str] = {}
        #: Those of them whose targets are load balancers, which are told of it.
        self._of_balancers: frozenset[Group] = frozenset()
        #: Whether tasks matter: those that security groups of load balancers let in.
        self._has_members = False
        self._clusters: list[dict[str, Any]] = []
        #: How many updates Envoy has refused so far, by what they were of.
        self._refused: dict[str, int] = {}
        #: The versions of files that it has refused.
        self._bad: dict[str, str] = {}
        self._is_stale = True
        self._stale: set[Group] = set()
        self._wake = asyncio.Event()
        #: Up to where the feed has told of changes, and that it has told of more.
        self._heard: Revision = 0
        self._news = asyncio.Event()
        self._runs = asyncio.Event()
        self._rests = False
        #: Why load balancers do not get what they were told; None: they do.
        self._trouble: str | None = None

    async def run(self) -> None:
        """Work until cancelled. Envoy goes on when it ends."""
        await self._functions.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._work())
                group.create_task(self._keep_alive())
                group.create_task(self.deliveries.run())
        finally:
            await self._functions.stop()

    def notices(self) -> list[str]:
        """What does not work as it should, in words for whoever runs it."""
        return [f"Load balancers wait: {self._trouble}"] if self._trouble else []

    def stop(self) -> None:
        """End Envoy, and with it all traffic; the next start of the process begins it anew."""
        self._rests = True
        self.envoy.stop()

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self._observe()):
                    self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every load balancer")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _observe(self) -> Revision:
        revision = await self._store.read(lambda view: view.revision)
        self._is_stale = True
        self._wake.set()
        self._hear(revision)
        return revision

    def _absorb(self, batch: Sequence[Change]) -> None:
        for change in batch:
            if change.kind in _ROUTING or (self._has_members and change.kind == TASKS.name):
                self._is_stale = True
            elif change.kind in _ENDPOINTS:
                # Ids of targets may have slashes.
                name, id_, *_ = change.key.split("/")
                self._stale.add((change.scope, f"{name}/{id_}"))
                self._is_stale |= (change.scope, f"{name}/{id_}") in self._of_balancers
        if self._is_stale or self._stale:
            self._wake.set()
        self._hear(batch[-1].revision)

    def _hear(self, revision: Revision) -> None:
        self._heard = revision
        self._news.set()

    async def _heard_until(self, revision: Revision) -> None:
        """Wait until the feed has told of what there was at a revision, while it tells anything."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY.total_seconds()):
                while self._heard < revision:
                    self._news.clear()
                    await self._news.wait()

    async def _work(self) -> None:
        """Tell Envoy what is stale; what fails is stale still."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            is_stale, groups = self._is_stale, frozenset(self._stale)
            self._is_stale = False
            self._stale.clear()
            try:
                if is_stale:
                    await self._tell_all()
                else:
                    await self._tell_endpoints(groups)
                self._trouble = None
            except (EnvoyUnavailable, StoreError) as error:
                self._trouble = str(error)
                log.warning("load balancers wait", reason=str(error))
                self._again(RETRY)

    def _again(self, delay: timedelta) -> None:
        def wake() -> None:
            self._is_stale = True
            self._wake.set()

        asyncio.get_running_loop().call_later(delay.total_seconds(), wake)

    async def _tell_endpoints(self, groups: frozenset[Group]) -> None:
        """Tell the targets of groups, but where rules have changed with them: those go first."""
        used = {group: arn for group in groups if (arn := self._used.get(group))}
        work = partial(_endpoints, used=used)
        revision, found = await self._store.read(lambda view: (view.revision, work(view)))
        await self._heard_until(revision)
        if not self._is_stale:
            self._publisher.publish(found)

    async def _tell_all(self) -> None:
        if self._rests:
            return
        world, found = await self._store.read(_everything)
        self._used = _used(world)
        self._of_balancers = frozenset(
            (g.scope, g.path) for g in world.groups.values() if g.target_type is TargetType.ALB
        )
        self._has_members = world.has_members
        told = snapshot.build(world, self._site)
        if not told.listeners[LISTENERS_FILE] and self.envoy.pid is None:
            await self._store.write(partial(_record, told, {}))
            return
        # What doors were like before: hosts whose rules are refused stay so.
        doors = {file: self._publisher.published(file) for file in told.doors}
        # Rules may be leaving a group whose targets are gone: until they have, those stay.
        self._publisher.publish(self._with_published(found))
        await self._publish(told, doors)
        try:
            errors = {**await self._errors(), **await self._refused_anywhere(told, doors)}
        finally:
            self._publisher.publish(found)
        await self._store.write(partial(_record, told, errors))
        if errors:
            # What Envoy could not bind it tries again when it is told again.
            self._publisher.forget(LISTENERS_FILE)
            self._again(REBIND)

    def _with_published(self, found: Files) -> Files:
        """The targets, and those besides that Envoy knows."""
        return {
            file: [clusters.joined(each, self._publisher.published(file)) for each in resources]
            for file, resources in found.items()
        }

    async def _publish(self, told: Snapshot, doors: Files) -> None:
        for directory in told.notes:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        wanted = told.clusters[CLUSTERS]
        names = {each["name"] for each in wanted}
        leaving = [each for each in self._clusters if each["name"] not in names]
        is_new = self.envoy.pid is None
        self._publisher.publish(told.secrets)
        self._publisher.publish({CLUSTERS: [*wanted, *leaving]})
        if is_new:
            self._publisher.publish(told.routes | told.doors | told.listeners)
            await self.envoy.ensure()
        else:
            await self._taken(CLUSTERS, "cluster_manager.cds")
            self._publisher.publish(told.routes)
            self._publish_doors(told, await self._refused_routes(told.routes), doors)
        self._publisher.publish(told.listeners)
        await self._taken(LISTENERS_FILE, "listener_manager.lds")
        self._publisher.publish(told.clusters)
        self._clusters = wanted
        self._runs.set()
        files = {CLUSTERS, LISTENERS_FILE, *told.routes, *told.doors, *told.secrets}
        self._publisher.retain(files | {endpoints_file(arn) for arn in self._used.values()})

    def _publish_doors(self, told: Snapshot, refused: Collection[str], before: Files) -> None:
        for file, (door,) in told.doors.items():
            made = held(door, told.owners[file], refused, before[file])
            self._publisher.publish({file: [made]})

    async def _refused_anywhere(self, told: Snapshot, before: Files) -> Mapping[str, str]:
        """The files of routes that Envoy does not take; doors go without them."""
        refused = await self._refused_routes(told.routes)
        self._publish_doors(told, refused, before)
        return {**refused, **await self._refused_routes(told.doors)}

    async def _taken(self, file: str, stat: str) -> None:
        """Wait until Envoy has taken a file, or refused a part of it."""
        wanted = self._publisher.version(file)
        deadline = asyncio.get_running_loop().time() + _TAKEN_WITHIN
        while asyncio.get_running_loop().time() < deadline:
            found = await self.envoy.admin(f"/stats?format=json&filter=^{stat}")
            values = {each["name"]: each["value"] for each in found["stats"] if "name" in each}
            if values.get(f"{stat}.version_text") == wanted:
                return
            refused = values.get(f"{stat}.update_rejected", 0)
            if refused > self._refused.get(stat, 0):
                self._refused[stat] = refused
                return
            await asyncio.sleep(_ASKED_EVERY)
        raise EnvoyUnavailable(f"Envoy has not taken {file}")

    async def _refused_routes(self, files: Iterable[str]) -> Mapping[str, str]:
        """The files of routes that Envoy does not take, and why; it goes on with older ones."""
        stat = "http.application.rds"
        deadline = asyncio.get_running_loop().time() + _TAKEN_WITHIN
        while asyncio.get_running_loop().time() < deadline:
            found = await self.envoy.admin(f"/stats?format=json&filter=^{stat}")
            values = {each["name"]: each["value"] for each in found["stats"] if "name" in each}
            # Nobody asks for the routes of a listener that Envoy could not bind.
            taken = {f: values.get(f"{stat}.{f}.version_text") for f in files}
            open_ = {f for f, v in taken.items() if v not in {None, self._publisher.version(f)}}
            counts = {f: values.get(f"{stat}.{f}.update_rejected", 0) for f in open_}
            if all(self._is_refused(file, count) for file, count in counts.items()):
                return dict.fromkeys(open_, "Envoy does not take its rules")
            await asyncio.sleep(_ASKED_EVERY)
        raise EnvoyUnavailable("Envoy has not taken all routes")

    def _is_refused(self, file: str, count: int) -> bool:
        """Whether Envoy has refused the file as it is now, of which ``count`` were refused."""
        if count > self._refused.get(file, 0):
            self._refused[file] = count
            self._bad[file] = self._publisher.version(file)
        return self._bad.get(file) == self._publisher.version(file)

    async def _errors(self) -> Mapping[str, str]:
        """Why Envoy does not serve some of its listeners, by their names."""
        dump = await self.envoy.admin("/config_dump?resource=dynamic_listeners")
        found = dump.get("configs", ())
        return {
            failed["failed_configuration"]["name"]: failed.get("details", "")
            for each in found
            if (failed := each.get("error_state"))
        }

    async def _keep_alive(self) -> None:
        """Have Envoy back at once when it dies."""
        while True:
            await self._runs.wait()
            await self.envoy.died()
            if self._rests:
                return
            log.warning("envoy died, starting it again")
            try:
                await self.envoy.ensure()
            except EnvoyUnavailable as error:
                log.warning("envoy does not start", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())
            self._refused.clear()
            self._bad.clear()
            self._is_stale = True
            self._wake.set()


def _used(world: World) -> dict[Group, str]:
    return {(group.scope, group.path): group.arn for group in snapshot.used_groups(world)}


def _everything(view: View) -> tuple[World, Files]:
    """What there is at one moment, and the targets of all groups that get traffic."""
    world = snapshot.read(view)
    return world, _endpoints(view, _used(world))


def _endpoints(view: View, used: Mapping[Group, str]) -> Files:
    """The files of the targets of some groups, of those that are there."""
    read = {arn: snapshot.read_endpoints(view, *group) for group, arn in used.items()}
    return {endpoints_file(arn): [found] for arn, found in read.items() if found is not None}


def _record(told: Snapshot, errors: Mapping[str, str], tx: Transaction) -> None:
    for balancer in tx.scan(LOAD_BALANCERS, None):
        failed = [errors[n] for n in told.names.get(balancer.arn, ()) if n in errors]
        found = [*failed, *filter(None, [told.complaints.get(balancer.arn)])]
        reasons = list(dict.fromkeys(found))
        code = LoadBalancerStateCode.ACTIVE_IMPAIRED if reasons else LoadBalancerStateCode.ACTIVE
        state = LoadBalancerState(
            scope=balancer.scope,
            load_balancer=balancer.path,
            code=code,
            reason="; ".join(reasons) or None,
        )
        tx.put(LOAD_BALANCER_STATES, state)
