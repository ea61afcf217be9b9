"""The composition root: the only place that knows concrete classes, the clock and the dice.

Starts in stages (store, engine, node, door), stops them in reverse; containers outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import psutil
import structlog
import uvicorn
import uvloop

from openecs import __version__
from openecs.api import acm, application_autoscaling, cloudwatch, ec2, ecs, elbv2, iam, sts
from openecs.api.base import ApiSettings, Caller
from openecs.authority import LocalAuthority
from openecs.config import Settings
from openecs.control.alarms import Alarms
from openecs.control.certificates import Certificates
from openecs.control.daemons import Daemons
from openecs.control.express_gateways import ExpressGateways
from openecs.control.lease import Leader
from openecs.control.lifecycle_hooks import LifecycleHooks
from openecs.control.machines import MachineWatch
from openecs.control.metric_retention import MetricRetention
from openecs.control.retention import Retention
from openecs.control.scaling import Scaling
from openecs.control.services import Services
from openecs.control.target_health import TargetHealthChecks
from openecs.decide.services.state import SchedulerSettings
from openecs.edge.edge import Edge
from openecs.edge.snapshot import Doors
from openecs.gateway.app import Gateway, Open, RootOnly
from openecs.gateway.authorization import Authorization
from openecs.gateway.credentials import StoredCredentials
from openecs.gateway.exchange import Reply
from openecs.node.node import Node
from openecs.node.packet_filter import PacketFilter
from openecs.node.settings import NodeSettings
from openecs.root_keys import RootKeys, root_keys
from openecs.runtime.base import EngineError, PullBehavior, RegistryAuth, Runtime
from openecs.runtime.docker import DockerRuntime
from openecs.store.base import Store
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore
from openecs.store.metrics import MetricStore
from openecs.store.sql import SqlMetricStore, SqlStore

log = structlog.get_logger(__name__)

_S = TypeVar("_S", Store, MetricStore)

_SERVICES = (
    ecs.SERVICE,
    sts.SERVICE,
    acm.SERVICE,
    iam.SERVICE,
    ec2.SERVICE,
    elbv2.SERVICE,
    cloudwatch.SERVICE,
    application_autoscaling.SERVICE,
)


class _Randomness(threading.local):
    """The system's randomness, fetched for many identifiers at once: each fetch is a system call.

    Each thread has its own, so that no byte is ever used twice.
    """

    def __init__(self) -> None:
        self._bytes = b""

    def take(self, count: int) -> bytes:
        """So many random bytes."""
        if len(self._bytes) < count:
            self._bytes = os.urandom(4096)
        taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken


class SystemIds:
    """Identifiers from the system's randomness."""

    def __init__(self) -> None:
        self._randomness = _Randomness()

    def uuid(self) -> str:
        """A random UUID."""
        return str(self._uuid())

    def hex32(self) -> str:
        """32 random hexadecimal digits."""
        return self._uuid().hex

    def digits(self, count: int) -> str:
        """Random decimal digits, the first not 0."""
        # Sixteen bytes more than needed leave no digit likelier than another that one could tell.
        number = int.from_bytes(self._randomness.take(count // 2 + 16))
        return str(10 ** (count - 1) + number % (9 * 10 ** (count - 1)))

    def _uuid(self) -> UUID:
        return UUID(bytes=self._randomness.take(16), version=4)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def run(settings: Settings, *, on_ready: Callable[[Settings, RootKeys], None]) -> int:
    """Serve until SIGTERM or Ctrl-C; the exit status.

    ``on_ready`` is called once the door is open.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, on_ready))


class _Server(uvicorn.Server):
    """Uvicorn, with signals left to us and a word when it listens."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing: a signal must not end the process before its stages have stopped."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started()


class _Control:
    """The control loops, until they are told to rest: then nothing is replaced any more."""

    def __init__(self, loops: Coroutine[None, None, None]) -> None:
        self._loops = loops
        self._working: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Work until cancelled, or told to rest."""
        async with asyncio.TaskGroup() as group:
            self._working = group.create_task(self._loops)
        await asyncio.Event().wait()

    def rest(self) -> None:
        """End the loops; the next start of the process begins them anew."""
        if self._working is not None:
            self._working.cancel()


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of the process can be told something from outside."""

    node: Node
    services: Services
    control: _Control
    edge: Edge


@dataclass(frozen=True, slots=True)
class _Stores:
    """Where things are kept: resources, and what is measured."""

    resources: Store
    metrics: MetricStore


async def _serve(settings: Settings, on_ready: Callable[[Settings, RootKeys], None]) -> int:
    _allow_open_files()
    async with contextlib.AsyncExitStack() as stack:
        door = stack.enter_context(_listen(settings))
        keys = root_keys(settings)
        keys.ensure(settings.account_id)
        store = await stack.enter_async_context(_open(_store(settings)))
        metrics = await stack.enter_async_context(_open(_metrics(settings)))
        runtime = await stack.enter_async_context(_engine(settings))
        stack.push_async_callback(_tidy, runtime)
        node = _node(settings, store, runtime)
        if settings.ephemeral:
            await node.empty()
            stack.push_async_callback(node.empty)
        await node.register()
        leader = Leader(store=store, clock=now, holder=_installation(settings))
        services = _services(settings, store, leader)
        authority = LocalAuthority(settings.directory)
        certificates = _certificates(settings, store, leader, authority)
        stores = _Stores(store, metrics)
        control = _Control(_control(settings, stores, leader, services, certificates))
        api = ApiSettings(
            file_systems=settings.file_systems,
            authority=authority,
            lambda_url=settings.lambda_url,
            alarm_webhook_url=settings.alarm_webhook_url,
            objects=settings.environment_files_dir,
        )
        edge = _edge(settings, store)
        if settings.ephemeral:
            stack.callback(edge.stop)
        parts = _Parts(node, services, control, edge)
        gateway = _gateway(settings, api, stores, keys, parts)
        config = uvicorn.Config(
            gateway,
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            # The gateway sets its own, by which SDKs set their clocks.
            date_header=False,
            server_header=False,
        )
        server = _Server(config, lambda: on_ready(settings, keys))
        await _work(server, door, [node.run(), control.run(), edge.run()])
    return 0


def _edge(settings: Settings, store: Store) -> Edge:
    directory = settings.directory / "envoy"
    return Edge(
        store=store,
        directory=directory,
        logs=settings.directory / "access-logs",
        doors=Doors(settings.elb_bind_address, _own_addresses()),
        clock=now,
        lambda_url=settings.lambda_url,
    )


def _own_addresses() -> tuple[str, ...]:
    """The blocks of addresses that clients on this machine come from."""
    every = (each for found in psutil.net_if_addrs().values() for each in found)
    own = {f"{each.address}/32" for each in every if each.family == socket.AF_INET}
    return ("127.0.0.0/8", *sorted(own))


def _services(settings: Settings, store: Store, leader: Leader) -> Services:
    return Services(
        store=store,
        clock=now,
        ids=SystemIds(),
        settings=_scheduler_settings(settings),
        guard=leader.guard if settings.shares_database else None,
    )


def _daemons(settings: Settings, store: Store, leader: Leader) -> Daemons:
    return Daemons(
        store=store,
        clock=now,
        ids=SystemIds(),
        settings=_scheduler_settings(settings),
        guard=leader.guard if settings.shares_database else None,
    )


def _certificates(
    settings: Settings, store: Store, leader: Leader, authority: LocalAuthority
) -> Certificates:
    return Certificates(
        store=store,
        clock=now,
        authority=authority,
        guard=leader.guard if settings.shares_database else None,
    )


def _scheduler_settings(settings: Settings) -> SchedulerSettings:
    return SchedulerSettings(healthy_after=timedelta(seconds=settings.deployment_healthy_after))


def _control(
    settings: Settings,
    stores: _Stores,
    leader: Leader,
    services: Services,
    certificates: Certificates,
) -> Coroutine[None, None, None]:
    """The loops that one process at a time runs: on a shared database, the one with the lease."""
    store = stores.resources
    kept = timedelta(seconds=settings.stopped_task_retention)
    retention = Retention(store=store, clock=now, stopped_tasks=kept)
    daemons = _daemons(settings, store, leader)
    guard = leader.guard if settings.shares_database else None
    health = TargetHealthChecks(store=store, clock=now, guard=guard)
    hooks = LifecycleHooks(store=store, clock=now, url=settings.lambda_url, guard=guard)
    express = ExpressGateways(store=store, clock=now, ids=SystemIds(), guard=guard)
    alarms = Alarms(
        store=store,
        metrics=stores.metrics,
        clock=now,
        ids=SystemIds(),
        url=settings.alarm_webhook_url,
        guard=guard,
    )
    scaling = Scaling(store=store, metrics=stores.metrics, clock=now, ids=SystemIds(), guard=guard)
    loops = [
        services.run,
        daemons.run,
        retention.run,
        certificates.run,
        health.run,
        hooks.run,
        express.run,
        alarms.run,
        scaling.run,
        MetricRetention(metrics=stores.metrics, clock=now).run,
    ]
    if not settings.shares_database:
        return _together([run() for run in loops])
    machines = MachineWatch(store=store, clock=now, guard=leader.guard)
    return leader.run(lambda: [run() for run in (*loops, machines.run)])


async def _together(loops: Sequence[Coroutine[None, None, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop)


async def _work(
    server: _Server, door: socket.socket, loops: list[Coroutine[None, None, None]]
) -> None:
    """Serve while the loops run; when one of them dies of a bug, so does the process, loudly."""
    events = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        events.add_signal_handler(number, setattr, server, "should_exit", True)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        await server.serve(sockets=[door])
        for task in tasks:
            task.cancel()


def _allow_open_files() -> None:
    """As many as the system lets us: each target that hangs in a health check holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _listen(settings: Settings) -> socket.socket:
    """The open door. Raises ``OSError`` where the address is taken or not this machine's."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((settings.host, settings.port))
    except OSError:
        door.close()
        raise
    return door


def _store(settings: Settings) -> Store:
    return MemoryStore() if settings.ephemeral else SqlStore(settings.database)


def _metrics(settings: Settings) -> MetricStore:
    if settings.ephemeral:
        return MemoryMetricStore()
    if settings.shares_database:
        return SqlMetricStore(settings.database)
    return SqlMetricStore(f"sqlite:///{settings.directory / 'metrics.db'}")


@contextlib.asynccontextmanager
async def _open(store: _S) -> AsyncIterator[_S]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[Runtime]:
    """The engine; one that does not answer is waited for by the node, not here."""
    runtime = DockerRuntime(settings.docker_host)
    await runtime.open()
    try:
        yield runtime
    finally:
        await runtime.close()


def _node(settings: Settings, store: Store, runtime: Runtime) -> Node:
    known = _node_settings(settings)
    guard = PacketFilter(store, installation=known.installation, machine=known.machine)
    return Node(store=store, runtime=runtime, clock=now, settings=known, packet_filter=guard)


async def _tidy(runtime: Runtime) -> None:
    """Remove the networks that no task is in any more."""
    with contextlib.suppress(EngineError):
        await runtime.remove_networks()


def _node_settings(settings: Settings) -> NodeSettings:
    installation = _installation(settings)
    return NodeSettings(
        installation=installation,
        machine=hashlib.sha256(installation.encode()).hexdigest()[:32],
        agent_version=__version__,
        joins_clusters=settings.join_clusters,
        shows_life=settings.shares_database,
        pull_behavior=PullBehavior(settings.image_pull_behavior),
        reserved_cpu=settings.reserved_cpu,
        reserved_memory=settings.reserved_memory_mib,
        cleanup_wait=timedelta(seconds=settings.task_cleanup_wait),
        stop_timeout=timedelta(seconds=settings.container_stop_timeout),
        environment_files=settings.environment_files_dir,
        file_systems=settings.file_systems,
        registries={
            name: RegistryAuth(username=given["username"], password=given["password"])
            for name, given in settings.registry_credentials.items()
        },
    )


def _installation(settings: Settings) -> str:
    """What this installation's containers are labelled with.

    It lives with the data. An ephemeral one is known by its port, so that the next one there
    clears what a killed one left.
    """
    if settings.ephemeral:
        return f"ephemeral-{settings.port}"
    path = settings.directory / "installation-id"
    with contextlib.suppress(FileExistsError), path.open("x", encoding="ascii") as file:
        file.write(SystemIds().hex32())
    return path.read_text(encoding="ascii").strip()


def _gateway(
    settings: Settings, api: ApiSettings, stores: _Stores, keys: RootKeys, parts: _Parts
) -> Gateway:
    async def health() -> Reply:
        return _json({"status": "ok", "version": __version__})

    async def notices(_: Caller) -> Reply:
        return _json({"notices": [*parts.node.notices(), *parts.edge.notices()]})

    async def rest(_: Caller) -> Reply:
        parts.control.rest()
        parts.edge.stop()
        parts.node.rest()
        return _json({"status": "resting"})

    async def reset(_: Caller) -> Reply:
        await stores.resources.clear()
        await stores.metrics.clear()
        await parts.node.empty()
        await parts.node.register()
        await parts.services.observe()
        return _json({"status": "reset"})

    special: dict[tuple[str, str], Open | RootOnly] = {
        ("GET", "/_openecs/health"): Open(health),
        ("POST", "/_openecs/notices"): RootOnly(notices),
        ("POST", "/_openecs/rest"): RootOnly(rest),
    }
    if settings.ephemeral:
        special["POST", "/_openecs/reset"] = RootOnly(reset)
    return Gateway(
        store=stores.resources,
        metrics=stores.metrics,
        services=_SERVICES,
        credentials=StoredCredentials(keys, stores.resources),
        authorize=Authorization(stores.resources, _SERVICES),
        clock=now,
        ids=SystemIds(),
        settings=api,
        special=special,
    )


def _json(value: dict[str, Any]) -> Reply:
    headers = {"Content-Type": "application/json"}
    return Reply(status=200, headers=headers, body=msgspec.json.encode(value))
