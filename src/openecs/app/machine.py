"""What works on this machine: its engine, its node, and the data plane of load balancers."""

from __future__ import annotations

import contextlib
import hashlib
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil

from openecs import __version__
from openecs.app.identity import SystemIds, installation, now
from openecs.edge.edge import Edge
from openecs.edge.measures import TrafficMeasures
from openecs.edge.snapshot import Doors
from openecs.node.container_logs import ContainerLogs
from openecs.node.measures import Measures
from openecs.node.node import Node
from openecs.node.packet_filter import PacketFilter
from openecs.node.settings import NodeSettings
from openecs.node.task_endpoint import Endpoint, TaskEndpoint
from openecs.runtime.base import EngineError, PullBehavior, RegistryAuth, Runtime
from openecs.runtime.docker import DockerRuntime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openecs.app.stores import Stores
    from openecs.config import Settings
    from openecs.store.base import Store


@contextlib.asynccontextmanager
async def engine(settings: Settings) -> AsyncIterator[Runtime]:
    """The engine; one that does not answer is waited for by the node, not here."""
    runtime = DockerRuntime(settings.docker_host)
    await runtime.open()
    try:
        yield runtime
    finally:
        await _tidy(runtime)
        await runtime.close()


async def _tidy(runtime: Runtime) -> None:
    """Remove the networks that no task is in any more."""
    with contextlib.suppress(EngineError):
        await runtime.remove_networks()


def node(
    settings: Settings, stores: Stores, runtime: Runtime, endpoint: Endpoint
) -> tuple[Node, TaskEndpoint]:
    """What runs tasks here, and what answers their containers at ``endpoint``."""
    known, store = _node_settings(settings), stores.resources
    guard = PacketFilter(store, installation=known.installation, machine=known.machine)
    logs = ContainerLogs(
        store=store,
        logs=stores.logs,
        runtime=runtime,
        clock=now,
        ids=SystemIds(),
        installation=known.installation,
    )
    answers = TaskEndpoint(
        store=store,
        runtime=runtime,
        clock=now,
        ids=SystemIds(),
        machine=known.machine,
        # There is no node yet.
        seen=lambda arn: made.seen(arn),  # noqa: PLW0108
        endpoint=endpoint,
    )
    made = Node(
        store=store,
        runtime=runtime,
        clock=now,
        settings=known,
        packet_filter=guard,
        logs=logs,
        told=answers.variables,
    )
    return made, answers


def measures(settings: Settings, stores: Stores, runtime: Runtime) -> Measures:
    """What measures the tasks here."""
    return Measures(
        store=stores.resources,
        metrics=stores.metrics,
        runtime=runtime,
        clock=now,
        machine=_node_settings(settings).machine,
        interval=timedelta(seconds=settings.measure_interval),
    )


def traffic(settings: Settings, stores: Stores, edge: Edge) -> TrafficMeasures:
    """What measures the load balancers here."""
    return TrafficMeasures(
        store=stores.resources,
        metrics=stores.metrics,
        envoy=edge.envoy,
        clock=now,
        interval=timedelta(seconds=settings.measure_interval),
    )


def _node_settings(settings: Settings) -> NodeSettings:
    own = installation(settings)
    return NodeSettings(
        installation=own,
        machine=hashlib.sha256(own.encode()).hexdigest()[:32],
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


def edge(settings: Settings, store: Store) -> Edge:
    """What carries the traffic of load balancers."""
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
