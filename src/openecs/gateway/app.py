"""The door: an ASGI application whose ``_answer`` is the life of a request, step by step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import structlog

from openecs.api.base import ApiSettings, Call, Caller, Members, Operation, Service, Streams
from openecs.gateway import complaints, errors, services, sigv4
from openecs.gateway.authorization import is_root
from openecs.gateway.catalog import Catalog, Target
from openecs.gateway.credentials import Credentials
from openecs.gateway.dispatch import Dispatch
from openecs.gateway.event_streams import OpenStreams, streamed
from openecs.gateway.exchange import BODY_LIMIT, Reply, Request, too_large
from openecs.gateway.protocol.typed_json import CheckedMembers
from openecs.gateway.refusal import Reason, Refused
from openecs.model.identity import Ids, Scope
from openecs.store.base import Store
from openecs.store.logs import LogStore
from openecs.store.metrics import MetricStore

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

#: Raises ``Refused`` unless the caller may do the operation with these members.
Authorize = Callable[[Call, Target, Request, Members], Awaitable[None]]

#: Of a body that is too large, this much is taken and thrown away, so that the answer is heard.
_DISCARDED = 10 * BODY_LIMIT

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Open:
    """A path of OpenECS's own that everybody may ask for."""

    handle: Callable[[], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class RootOnly:
    """A path of OpenECS's own for requests signed with a root key, for whatever service."""

    handle: Callable[[Caller], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class SelfGuarded:
    """A path of OpenECS's own that sees for itself who asks."""

    handle: Callable[[Request], Awaitable[Reply]]


Special = Open | RootOnly | SelfGuarded


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """All AWS services on one port, and paths of OpenECS's own.

    ``special`` has those by method and path. Every reply has a ``Date``, by which SDKs set their
    clocks: the server underneath need not add one.
    """

    store: Store
    metrics: MetricStore
    logs: LogStore
    services: Sequence[Service]
    credentials: Credentials
    clock: Callable[[], datetime]
    ids: Ids
    settings: ApiSettings
    authorize: Authorize
    special: Mapping[tuple[str, str], Special]
    streams: OpenStreams = field(init=False, default_factory=OpenStreams)
    _catalog: Catalog = field(init=False, default_factory=Catalog)
    _dispatch: Dispatch = field(init=False)

    def __post_init__(self) -> None:
        dispatch = Dispatch(self.store, self.metrics, self.logs, self.services)
        object.__setattr__(self, "_dispatch", dispatch)

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Serve what an ASGI server hands over: a request, or its own lifespan."""
        match scope["type"]:
            case "http":
                await self._serve(scope, receive, send)
            case "lifespan":
                await _live(receive, send)
            case _:
                await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        request = _request(scope, body)
        request_id, now = self.ids.uuid(), self.clock()
        reply = await self._reply(request, request_id, now)
        await send(_start(reply, request_id, now))
        content = b"" if request.method == "HEAD" else reply.body
        if reply.parts is None:
            await send({"type": "http.response.body", "body": content})
        else:
            await self.streams.send(reply.parts, receive, send)

    async def _reply(self, request: Request, request_id: str, now: datetime) -> Reply:
        target: Target | None = None
        try:
            special = self.special.get((request.method, request.path))
            if special is not None:
                return await self._special(special, request, now)
            target = self._identify(request)
            return await self._answer(target, request, request_id, now)
        # Operations may fail in any way; whoever called hears of it, and ``errors`` logs bugs.
        except Exception as error:  # noqa: BLE001
            return errors.reply(error, target, request, request_id)

    async def _answer(
        self, target: Target, request: Request, request_id: str, now: datetime
    ) -> Reply:
        _check_size(request)
        claim = sigv4.claim(request)
        sigv4.check_scope(claim, target.service.known.signing_name)
        caller = await self._authenticate(claim, request, now)
        call = Call(
            scope=Scope(caller.account, claim.region),
            caller=caller,
            request_id=request_id,
            now=now,
            ids=self.ids,
            settings=self.settings,
        )
        # ``request.content`` is the body unpacked: what was signed is the body as sent.
        members = target.wire.parse(target.operation, request, target.labels)
        await self.authorize(call, target, request, members)
        operation = self._built(target)
        _validate(target, members)
        if isinstance(operation, Streams):
            told = await self._dispatch.stream(operation, call, members)
            return streamed(target.operation, told)
        response = await self._dispatch.run(operation, call, members)
        return target.wire.reply(target.operation, response, request_id)

    def _identify(self, request: Request) -> Target:
        address = services.address(request)
        if address is None:
            sigv4.claim(request)
            message = "The request names no service and operation known here."
            raise Refused(Reason.UNKNOWN_OPERATION, message)
        return self._catalog.target(address, request)

    async def _authenticate(self, claim: sigv4.Claim, request: Request, now: datetime) -> Caller:
        key = await self.credentials.find(claim.access_key_id)
        key = sigv4.verify(claim, request, key, now)
        return Caller(
            arn=key.arn,
            user_id=key.user_id,
            account=key.account,
            access_key_id=key.access_key_id,
        )

    def _built(self, target: Target) -> Operation:
        operation = self._dispatch.find(target.service.name, target.name)
        if operation is None:
            raise errors.not_built(target)
        return operation

    async def _special(self, special: Special, request: Request, now: datetime) -> Reply:
        _check_size(request)
        match special:
            case Open(handle):
                return await handle()
            case SelfGuarded(handle_request):
                return await handle_request(request)
            case RootOnly(handle_caller):
                caller = await self._authenticate(sigv4.claim(request), request, now)
                if not is_root(caller):
                    message = f"User: {caller.arn} is not the root user."
                    raise Refused(Reason.ACCESS_DENIED, message)
                return await handle_caller(caller)


def _check_size(request: Request) -> None:
    if len(request.body) > BODY_LIMIT:
        raise too_large()


def _validate(target: Target, members: Members) -> None:
    if isinstance(members, CheckedMembers):
        return
    shape = target.operation.input_shape
    found = target.service.validator.complaints(shape, members) if shape else []
    if found:
        raise complaints.error(target.service.name, target.name, found)


async def _live(receive: _Receive, send: _Send) -> None:
    while True:
        match (await receive())["type"]:
            case "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            case _:
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _body(receive: _Receive) -> bytes | None:
    """The body, cut off behind the limit; None where the client has gone."""
    parts: list[bytes] = []
    size, more = 0, True
    while more and size < _DISCARDED:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part, more = message.get("body", b""), message.get("more_body", False)
        if size <= BODY_LIMIT:
            parts.append(part)
        size += len(part)
    return b"".join(parts)


def _request(scope: _Message, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1").partition("?")[0],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        client=(scope.get("client") or ("",))[0],
        is_secure=scope.get("scheme") == "https",
    )


def _start(reply: Reply, request_id: str, now: datetime) -> _Message:
    headers = [
        (name.lower().encode("latin-1", "replace"), _one_line(value))
        for name, value in reply.headers.items()
    ]
    headers += [
        (b"x-amzn-requestid", request_id.encode()),
        (b"date", _date(now.replace(microsecond=0))),
    ]
    if reply.parts is None:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def _one_line(value: str) -> bytes:
    return value.replace("\r", " ").replace("\n", " ").encode()


@lru_cache(maxsize=8)
def _date(now: datetime) -> bytes:
    return format_datetime(now, usegmt=True).encode()
