"""The door: the socket, the server on it, and the gateway behind."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import uvicorn

from openecs import __version__
from openecs.api import (
    acm,
    application_autoscaling,
    cloudwatch,
    ec2,
    ecs,
    elbv2,
    iam,
    logs,
    secretsmanager,
    sts,
)
from openecs.api.base import ApiSettings, Caller
from openecs.app.identity import SystemIds, now
from openecs.gateway.app import Gateway, Open, RootOnly, SelfGuarded, Special
from openecs.gateway.authorization import Authorization
from openecs.gateway.credentials import StoredCredentials
from openecs.gateway.exchange import Reply
from openecs.gateway.scraping import Scraping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openecs.app.inside import App
    from openecs.app.loops import ControlPlane
    from openecs.app.stores import Stores
    from openecs.authority import LocalAuthority
    from openecs.config import Settings
    from openecs.edge.edge import Edge
    from openecs.node.node import Node
    from openecs.root_keys import RootKeys

SERVICES = (
    ecs.SERVICE,
    sts.SERVICE,
    acm.SERVICE,
    iam.SERVICE,
    ec2.SERVICE,
    elbv2.SERVICE,
    cloudwatch.SERVICE,
    logs.SERVICE,
    application_autoscaling.SERVICE,
    secretsmanager.SERVICE,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What of the process can be told something from outside."""

    node: Node
    control: ControlPlane
    edge: Edge
    authority: LocalAuthority
    #: Why containers get neither metadata nor credentials; empty: they do.
    not_inside: str


class Server(uvicorn.Server):
    """Uvicorn, with signals left to us and a word when it listens."""

    def __init__(self, app: App, gateway: Gateway, on_started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            # The gateway sets its own, by which SDKs set their clocks.
            date_header=False,
            server_header=False,
        )
        super().__init__(config)
        self._streams = gateway.streams
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would go on for hours, and wait for the rest."""
        self._streams.end()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
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


def gateway(settings: Settings, stores: Stores, keys: RootKeys, parts: Parts) -> Gateway:
    """The door's handlers: every AWS service, and what `openecs` itself asks for."""

    async def health() -> Reply:
        return _json({"status": "ok", "version": __version__})

    async def notices(_: Caller) -> Reply:
        told = [*parts.node.notices(), *parts.edge.notices(), *parts.control.notices()]
        if parts.not_inside:
            told.append(f"Tasks get no credentials and no metadata: {parts.not_inside}")
        return _json({"notices": told})

    async def rest(_: Caller) -> Reply:
        parts.control.rest()
        parts.edge.stop()
        parts.node.rest()
        return _json({"status": "resting"})

    async def reset(_: Caller) -> Reply:
        await stores.clear()
        await parts.node.empty()
        await parts.node.register()
        await parts.control.observe()
        return _json({"status": "reset"})

    credentials = StoredCredentials(keys, stores.resources)
    scraping = Scraping(
        store=stores.resources, metrics=stores.metrics, credentials=credentials, clock=now
    )
    special: dict[tuple[str, str], Special] = {
        ("GET", "/metrics"): SelfGuarded(scraping),
        ("GET", "/_openecs/health"): Open(health),
        ("POST", "/_openecs/notices"): RootOnly(notices),
        ("POST", "/_openecs/rest"): RootOnly(rest),
    }
    if settings.ephemeral:
        special["POST", "/_openecs/reset"] = RootOnly(reset)
    return Gateway(
        store=stores.resources,
        metrics=stores.metrics,
        logs=stores.logs,
        services=SERVICES,
        credentials=credentials,
        authorize=Authorization(stores.resources, SERVICES),
        clock=now,
        ids=SystemIds(),
        settings=_api_settings(settings, parts.authority),
        special=special,
    )


def _api_settings(settings: Settings, authority: LocalAuthority) -> ApiSettings:
    return ApiSettings(
        file_systems=settings.file_systems,
        authority=authority,
        lambda_url=settings.lambda_url,
        log_destinations=settings.log_destinations,
        alarm_webhook_url=settings.alarm_webhook_url,
        scaling_period=settings.scaling_period,
        scale_out_datapoints=settings.scale_out_datapoints,
        scale_in_datapoints=settings.scale_in_datapoints,
        objects=settings.environment_files_dir,
    )


def _json(value: dict[str, Any]) -> Reply:
    headers = {"Content-Type": "application/json"}
    return Reply(status=200, headers=headers, body=msgspec.json.encode(value))
