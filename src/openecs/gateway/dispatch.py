"""From a parsed request to the operation: one function over the store it works on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from openecs.api.base import (
    Call,
    Logs,
    Measures,
    Members,
    Operation,
    Reads,
    Service,
    Streams,
    Told,
    Writes,
)
from openecs.store.base import Conflict, Store
from openecs.store.logs import LogStore
from openecs.store.metrics import MetricStore

#: Operations that answer once.
Answers = Reads | Writes | Measures | Logs

#: How often an operation is tried anew when others write what it has read.
_ATTEMPTS = 5


class Dispatch:
    """The operations that are built, and the stores they work on."""

    def __init__(
        self, store: Store, metrics: MetricStore, logs: LogStore, services: Sequence[Service]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._logs = logs
        self._operations: Mapping[tuple[str, str], Operation] = {
            (service.name, name): operation
            for service in services
            for name, operation in service.operations.items()
        }

    def find(self, service: str, operation: str) -> Operation | None:
        """The operation, or None where it is not built."""
        return self._operations.get((service, operation))

    async def stream(
        self, operation: Streams, call: Call, members: Mapping[str, Any]
    ) -> AsyncIterator[Told]:
        """What the operation tells. Raises ``ServiceError`` and ``StoreError``."""
        found = await self._store.read(lambda view: operation.find(view, call, members))
        return operation.function(self._logs, call, members, found)

    async def run(self, operation: Answers, call: Call, members: Mapping[str, Any]) -> Members:
        """The operation's response. Raises ``ServiceError`` and ``StoreError``."""
        match operation:
            case Reads():
                return await self._store.read(lambda view: operation.function(view, call, members))
            case Writes():
                return await self._write(operation, call, members)
            case Measures():
                return await operation.function(self._metrics, call, members)
            case Logs():
                found = await self._store.read(lambda view: operation.find(view, call, members))
                return await operation.function(self._logs, call, members, found)

    async def _write(self, operation: Writes, call: Call, members: Mapping[str, Any]) -> Members:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._write_once(operation, call, members)
            except Conflict:
                continue
        return await self._write_once(operation, call, members)

    async def _write_once(
        self, operation: Writes, call: Call, members: Mapping[str, Any]
    ) -> Members:
        return await self._store.write(
            lambda transaction: operation.function(transaction, call, members)
        )
