"""The address at which containers find this process: 169.254.170.2, as on a machine of ECS.

It is added to the loopback interface, which containers reach by their way out. Another process may
have its port 80, such as another installation on this machine: then containers are told of a port
that is this installation's own, the same after every start.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from openecs.app.identity import installation
from openecs.node.task_endpoint import ADDRESS, PORT, Endpoint, TaskEndpoint

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from openecs.config import Settings

    Message = MutableMapping[str, Any]
    App = Callable[[Message, Any, Any], Awaitable[None]]

log = structlog.get_logger(__name__)

#: Ports of installations that do not get port 80.
_FIRST, _COUNT = 20_000, 10_000


@dataclass(frozen=True, slots=True)
class Inside:
    """Where containers are answered; why they are not, where there is no endpoint."""

    endpoint: Endpoint = field(default_factory=Endpoint)
    sockets: tuple[socket.socket, ...] = ()
    refusal: str = ""

    def close(self) -> None:
        """Answer no more."""
        for each in self.sockets:
            each.close()


async def listen(settings: Settings) -> Inside:
    """Take the address, and listen there for metadata and for the AWS APIs."""
    if refusal := await _add_address():
        return Inside(refusal=refusal)
    own = int(hashlib.sha256(installation(settings).encode()).hexdigest(), 16) % _COUNT
    found = _bound(PORT) or _bound(_FIRST + own)
    if found is None:
        return Inside(refusal=f"ports {PORT} and {_FIRST + own} of {ADDRESS} are taken")
    port = int(found.getsockname()[1])
    # Where the door listens everywhere, it does so here, too.
    api = _bound(settings.port)
    endpoint = Endpoint(port=port, api_port=settings.port)
    return Inside(endpoint, tuple(each for each in (found, api) if each is not None))


def dispatching(gateway: App, answers: TaskEndpoint, endpoint: Endpoint) -> App:
    """The gateway, but for requests that came to the endpoint."""

    async def app(scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and tuple(scope["server"]) == (ADDRESS, endpoint.port):
            await _answer(answers, scope, send)
        else:
            await gateway(scope, receive, send)

    return app


async def _answer(answers: TaskEndpoint, scope: Message, send: Any) -> None:
    client = (scope.get("client") or ("",))[0]
    try:
        answer = await answers.answer(scope["path"], client)
        status, body = answer.status, msgspec.json.encode(answer.body)
    except Exception:  # whatever it is, the container hears of it
        log.exception("a container was not answered", path=scope["path"])
        status, body = 500, b"{}"
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _add_address() -> str:
    """Have the address on this machine; why it is not, where it cannot be."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return ""
    try:
        process = await asyncio.create_subprocess_exec(
            *("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await process.communicate()
    except OSError as error:
        return f"ip is not to be had (Debian: apt-get install iproute2): {error}"
    # Another process may have been faster.
    if process.returncode and b"File exists" not in complaint:
        return f"{ADDRESS} cannot be added to the loopback interface: {complaint.decode().strip()}"
    return ""


def _bound(port: int) -> socket.socket | None:
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ADDRESS, port))
        made.listen()
    except OSError:
        made.close()
        return None
    return made
