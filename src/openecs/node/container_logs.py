"""The awslogs driver: what containers print is kept by the engine, read from it, and logged.

A container says in a label where its output goes, so that nothing else need be known of it. How far
it was read is written with what was read: whoever reads next goes on there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec
import structlog

from openecs.decide import log_options
from openecs.decide.log_lines import LineReader, mark_of
from openecs.model.containers import ContainerObservation, ContainerState
from openecs.model.identity import Ids, Scope, parse_arn
from openecs.model.logs import LogEvent, LogGroup, Piece, milliseconds
from openecs.runtime.base import (
    LABEL_AWSLOGS,
    LABEL_CONTAINER_NAME,
    LABEL_TASK_ARN,
    EngineError,
    EngineUnavailable,
    Runtime,
)
from openecs.store.base import Store, StoreError, Transaction
from openecs.store.logs import LOG_GROUPS, Cursor, LogStore

log = structlog.get_logger(__name__)

#: An event of several lines that is not known to be complete is told after so many seconds.
_PATIENCE = 5.0
_RETRY = 1.0


class CannotLog(EngineError):
    """There is nowhere to log to."""

    name = "ResourceInitializationError"

    def __init__(self, reason: str) -> None:
        super().__init__(f"failed to validate logger args: {reason} : exit status 1")


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where a container's output goes."""

    scope: Scope
    group: str
    stream: str
    options: Mapping[str, str]


class ContainerLogs:
    """Logs the output of this installation's containers on one engine."""

    def __init__(
        self,
        *,
        store: Store,
        logs: LogStore,
        runtime: Runtime,
        clock: Callable[[], datetime],
        ids: Ids,
        installation: str,
    ) -> None:
        self._store = store
        self._logs = logs
        self._runtime = runtime
        self._clock = clock
        self._ids = ids
        self._installation = installation
        self._reading: set[str] = set()
        #: By the engine's id when the container had ended, whose output was read to the end.
        self._read: dict[str, datetime | None] = {}

    def is_read(self, observed: ContainerObservation) -> bool:
        """Whether all that a container printed is logged, if it is to be."""
        if LABEL_AWSLOGS not in observed.labels or observed.state is ContainerState.CREATED:
            return True
        return observed.id in self._read and self._read[observed.id] == observed.finished_at

    async def prepare(self, labels: Mapping[str, str], runtime_id: str) -> None:
        """Make the stream of a container that is to start. Raises ``CannotLog``."""
        try:
            destination = _destination(labels, runtime_id)
            if destination is None:
                return
            log_options.begins_of(destination.options)
            group = await self._group(destination)
        except log_options.BadOption as error:
            raise CannotLog(str(error)) from error
        if group is None:
            raise CannotLog(
                "create stream has been retried 1 times: failed to create Cloudwatch log stream: "
                "ResourceNotFoundException: The specified log group does not exist."
            )
        await self._logs.create_stream(group.id, destination.stream, milliseconds(self._clock()))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            async for event in self._runtime.watch(self._installation):
                if event.name and LABEL_AWSLOGS not in event.labels:
                    continue
                for observed in await self._look(event.name):
                    if observed.id not in self._reading and not self.is_read(observed):
                        self._reading.add(observed.id)
                        group.create_task(self._follow(observed))

    async def _look(self, name: str) -> Sequence[ContainerObservation]:
        """What there is by a name, or all there is."""
        while True:
            try:
                if not name:
                    return await self._all()
                found = await self._runtime.inspect(name)
            except EngineUnavailable as error:
                log.debug("output is not looked for", reason=error.message)
                await asyncio.sleep(_RETRY)
            else:
                return () if found is None else (found,)

    async def _all(self) -> Sequence[ContainerObservation]:
        """All there is; how far others were read, whose removal nobody saw, is forgotten."""
        # In this order: what is made meanwhile is not among the sources.
        try:
            known = await self._logs.sources(self._source(""))
        except StoreError as error:
            log.debug("cursors are not looked for", reason=str(error))
            known = ()
        found = await self._runtime.observe(self._installation)
        there = {self._source(each.id) for each in found}
        for source in known:
            if source not in there:
                with contextlib.suppress(StoreError):
                    await self._logs.forget_cursor(source)
        return found

    def _source(self, id_: str) -> str:
        return f"container/{self._installation}/{id_}"

    async def _follow(self, observed: ContainerObservation) -> None:
        """Read until the container has ended and is not begun again."""
        id_ = observed.id
        try:
            while True:
                try:
                    now = await self._pass(observed)
                except (EngineUnavailable, StoreError) as error:
                    log.info("output waits", container=observed.name, reason=str(error))
                    await asyncio.sleep(_RETRY)
                    continue
                if now is None:
                    self._read.pop(id_, None)
                    return
                if self.is_read(now):
                    return
                if now.state is ContainerState.RUNNING:
                    # It was begun again, or the engine was.
                    await asyncio.sleep(_RETRY)
        finally:
            self._reading.discard(id_)

    async def _pass(self, observed: ContainerObservation) -> ContainerObservation | None:
        """Read what is left of the output, to its end; the container as it is then."""
        before = await self._runtime.inspect(observed.id)
        destination = _destination(observed.labels, observed.id)
        if before is None or destination is None:
            await self._logs.forget_cursor(self._source(observed.id))
            await self._logs.forget_cursor(observed.id)
            return None
        await self._copy(observed.id, destination)
        after = await self._runtime.inspect(observed.id)
        if after == before and after.state is ContainerState.EXITED:
            self._read[after.id] = after.finished_at
        return after

    async def _copy(self, id_: str, destination: _Destination) -> None:
        source = self._source(id_)
        # Cursors were named after the container alone once.
        mark = mark_of(await self._logs.cursor(source) or await self._logs.cursor(id_))
        reader = LineReader(mark, log_options.begins_of(destination.options))
        output = aiter(self._runtime.output(id_, mark.since))
        coming = asyncio.ensure_future(_next(output))
        try:
            while True:
                patience = _PATIENCE if reader.is_waiting else None
                done, _ = await asyncio.wait({coming}, timeout=patience)
                if not done:
                    await self._keep(source, destination, reader, reader.flush())
                    continue
                pieces = coming.result()
                if pieces is None:
                    break
                await self._keep(source, destination, reader, reader.read(pieces))
                coming = asyncio.ensure_future(_next(output))
            await self._keep(source, destination, reader, reader.end())
        finally:
            coming.cancel()

    async def _keep(
        self, source: str, destination: _Destination, reader: LineReader, events: list[LogEvent]
    ) -> None:
        if not events:
            return
        now = milliseconds(self._clock())
        cursor = Cursor(source, str(reader.mark()))
        group = await self._group(destination)
        if group is None:
            log.warning("output is dropped: no such log group", group=destination.group)
            return
        while not await self._logs.append(group.id, destination.stream, events, now, cursor):
            await self._logs.create_stream(group.id, destination.stream, now)

    async def _group(self, destination: _Destination) -> LogGroup | None:
        scope, name = destination.scope, destination.group
        found = await self._store.read(lambda view: view.get(LOG_GROUPS, scope, name))
        if found is not None or not log_options.creates_group(destination.options):
            return found
        new = LogGroup(
            scope=scope,
            name=name,
            id=int(self._ids.digits(18)),
            created=milliseconds(self._clock()),
        )
        return await self._store.write(partial(_ensure, new))


def _ensure(new: LogGroup, tx: Transaction) -> LogGroup:
    known = tx.get(LOG_GROUPS, new.scope, new.name)
    if known is None:
        tx.put(LOG_GROUPS, new)
    return known or new


async def _next(output: AsyncIterator[Sequence[Piece]]) -> Sequence[Piece] | None:
    return await anext(output, None)


def _destination(labels: Mapping[str, str], runtime_id: str) -> _Destination | None:
    """Where the output goes of a container with these labels; None: the engine alone has it."""
    arn = parse_arn(labels.get(LABEL_TASK_ARN, ""))
    if arn is None or LABEL_AWSLOGS not in labels:
        return None
    options = msgspec.json.decode(labels[LABEL_AWSLOGS], type=dict[str, str])
    task = arn.resource.rpartition("/")[2]
    container = labels.get(LABEL_CONTAINER_NAME, "")
    return _Destination(
        scope=Scope(arn.scope.account, options["awslogs-region"]),
        group=options["awslogs-group"],
        stream=log_options.stream_of(options, container, task, runtime_id),
        options=options,
    )
