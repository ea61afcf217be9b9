"""Sessions of ExecuteCommand on this machine, from the token to the end of the command."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec
import structlog

from openecs.api.channels import Channel
from openecs.model.exec_sessions import ExecSession
from openecs.model.identity import Ids
from openecs.node.data_channel import DataChannel
from openecs.runtime.base import EngineError, Runtime
from openecs.runtime.terminals import ExecSpec
from openecs.store.base import INSTALLATION, Store, Transaction
from openecs.store.exec_sessions import EXEC_SESSIONS

#: As at AWS: commands are run by root, with these variables.
ROOT = "0"
ENVIRONMENT = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
#: A client that is connected says who it is within these seconds.
TOKEN_WITHIN = 10.0

log = structlog.get_logger(__name__)


class _Opening(msgspec.Struct):
    TokenValue: str


class ExecSessions:
    """Serves data channels whose session is for this machine."""

    def __init__(
        self,
        *,
        store: Store,
        runtime: Runtime,
        clock: Callable[[], datetime],
        ids: Ids,
        machine: str,
    ) -> None:
        self._store, self._runtime = store, runtime
        self._clock, self._ids, self._machine = clock, ids, machine

    async def serve(self, session_id: str, channel: Channel) -> None:
        """Run the command of a session whose token the client has."""
        try:
            async with asyncio.timeout(TOKEN_WITHIN):
                opening = msgspec.json.decode(await channel.receive() or b"", type=_Opening)
        except (TimeoutError, msgspec.DecodeError):
            return
        digest = hashlib.sha256(opening.TokenValue.encode()).hexdigest()
        session = await self._store.write(partial(self._take, session_id, digest))
        if session is not None:
            await self._run(session, channel)

    def _take(self, session_id: str, digest: str, tx: Transaction) -> ExecSession | None:
        """The session, for the one who first shows its token in time."""
        session = tx.get(EXEC_SESSIONS, INSTALLATION, session_id)
        if session is None or not hmac.compare_digest(session.token_digest, digest):
            return None
        if session.machine != self._machine:
            return None
        tx.delete(EXEC_SESSIONS, INSTALLATION, session_id)
        return session if session.expires_at > self._clock() else None

    async def _run(self, session: ExecSession, channel: Channel) -> None:
        data = DataChannel(channel, session.id, self._clock, self._ids)
        spec = ExecSpec(command=session.command, user=ROOT, environment=ENVIRONMENT)
        try:
            terminal = await self._runtime.execute(session.runtime_id, spec)
        except EngineError as error:
            await data.close(error.reason)
            return
        log.info("session begun", session=session.id, task=session.task)
        try:
            await data.run(terminal)
        except EngineError as error:
            await data.close(error.reason)
        finally:
            await asyncio.shield(terminal.hang_up())
            log.info("session ended", session=session.id, task=session.task)
