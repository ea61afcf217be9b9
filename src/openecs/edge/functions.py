"""Lambda functions as targets: a server that Envoy alone reaches asks them.

It listens at a socket in the directory of Envoy's files; Envoy says which target group a request is
for. While this process is down, functions are not reached.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import structlog
from aiohttp import web

from openecs.decide.function_events import MOST, Answered, Asked, MalformedAnswer, answer, event
from openecs.edge import answers
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import Target, TargetGroup
from openecs.store.base import Store, StoreError, View
from openecs.store.kinds import TARGET_GROUPS, TARGETS

log = structlog.get_logger(__name__)

#: The header by which Envoy tells the target group.
GROUP = "x-openecs-target-group"
_MULTIPLE = "lambda.multi_value_headers.enabled"
#: A function of Lambda's may run so long.
_FUNCTION_LIMIT = aiohttp.ClientTimeout(total=900)


class FunctionFailed(Exception):
    """A function could not be invoked, or failed."""


def socket_of(xds: Path) -> Path:
    """Where the server listens."""
    return xds.parent / "functions.sock"


class Functions:
    """The server; functions are invoked at ``url``, which answers as Lambda's Invoke does."""

    def __init__(self, *, store: Store, socket: Path, url: str) -> None:
        self._store = store
        self._socket = socket
        self._url = url.rstrip("/")
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; where that is not possible, functions are not reached."""
        if not self._url:
            return
        app = web.Application(client_max_size=MOST)
        app.router.add_route("*", "/{path:.*}", self._serve)
        # Bodies go on as they came.
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        try:
            self._socket.unlink(missing_ok=True)
            await web.UnixSite(self._runner, str(self._socket)).start()
            self._socket.chmod(0o600)
        except OSError as error:
            log.warning("functions cannot be targets", reason=str(error))

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            found = await self._store.read(partial(_target, request.headers.get(GROUP, "")))
            if found is None:
                return _page(503)
            asked = await _asked(request)
            return _shown(await self._invoke(*found, asked))
        except web.HTTPRequestEntityTooLarge:
            return _page(413)
        except (FunctionFailed, MalformedAnswer, StoreError) as error:
            log.warning("a function gave no answer", reason=str(error))
            return _page(502)

    async def _invoke(self, group: TargetGroup, target: Target, asked: Asked) -> Answered:
        several = group.attributes.get(_MULTIPLE) == "true"
        payload = msgspec.json.encode(event(asked, group.arn, several=several))
        url = f"{self._url}/2015-03-31/functions/{quote(target.id, safe='')}/invocations"
        try:
            async with (
                aiohttp.ClientSession(timeout=_FUNCTION_LIMIT) as session,
                session.post(url, data=payload, headers={"Content-Type": "application/json"}) as r,
            ):
                body = await r.read()
                if r.status != 200 or r.headers.get("X-Amz-Function-Error"):
                    raise FunctionFailed(f"{target.id}: status {r.status}")
                said: Any = msgspec.json.decode(body)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise FunctionFailed(f"{target.id}: {str(error) or type(error).__name__}") from error
        return answer(said, several=several)


def _target(arn: str, view: View) -> tuple[TargetGroup, Target] | None:
    parsed = parse_arn(arn)
    if parsed is None:
        return None
    path = parsed.resource.partition("/")[2]
    group = view.get(TARGET_GROUPS, parsed.scope, path)
    targets = view.scan(TARGETS, parsed.scope, prefix=f"{path}/")
    found = [target for target in targets if target.draining_since is None]
    return (group, found[0]) if group and found else None


async def _asked(request: web.Request) -> Asked:
    path, _, query = request.raw_path.partition("?")
    headers = [(name, value) for name, value in request.headers.items() if name.lower() != GROUP]
    return Asked(
        method=request.method,
        path=path,
        query=query,
        headers=tuple(headers),
        body=await request.read(),
    )


def _shown(answered: Answered) -> web.Response:
    made = web.Response(status=answered.status, body=answered.body)
    for name, value in answered.headers:
        made.headers.add(name, value)
    return made


def _page(status: int) -> web.Response:
    headers = {"Server": "awselb/2.0"}
    text = answers.page(status)
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)
