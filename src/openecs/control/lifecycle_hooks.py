"""The loop that calls the functions of lifecycle hooks and writes down what they said.

Developer Guide, "Lambda hooks for Amazon ECS service deployments". A function is called at least
once: where an answer was not written down before a crash, it is called again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import structlog

from openecs.control.capacity import Where
from openecs.decide.services import hooks, traffic
from openecs.loops.controller import Again, Controller
from openecs.model.identity import Scope
from openecs.model.services import HookRun, HookStatus, LifecycleHook, Service, TrafficShift
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import SERVICES

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)
#: A function of Lambda's may run so long.
_FUNCTION_LIMIT = aiohttp.ClientTimeout(total=900)
#: Seconds until a function that is not done is called again, unless it says when.
_CALL_BACK = 30
_NO_STATUS = "HookStatus must not be null"

Key = tuple[Scope, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A hook whose function is to be called."""

    service: Service
    shift: TrafficShift
    run: HookRun

    @property
    def hook(self) -> LifecycleHook:
        return self.shift.configuration.lifecycle_hooks[self.run.hook]


class LifecycleHooks:
    """Calls functions at ``url``, which answers as Lambda's Invoke does."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        url: str,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._url = url.rstrip("/")
        self._guard = guard
        self._controller: Controller[Key] = Controller("hooks", self._reconcile, clock=clock)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._controller.run())

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self._observe()):
                    await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every lifecycle hook")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _observe(self) -> Revision:
        revision, services = await self._store.read(
            lambda view: (view.revision, view.find(SERVICES, None, "present", ()))
        )
        self._add(services)
        return revision

    async def _absorb(self, batch: Sequence[Change]) -> None:
        changed = {(c.scope, c.key) for c in batch if c.kind == SERVICES.name}
        if changed:
            self._add(await self._store.read(partial(_services, changed)))

    def _add(self, services: Sequence[Service]) -> None:
        for service in services:
            shift = traffic.current(service)
            for run in shift.hooks if shift else ():
                if run.call_after is not None and hooks.is_waiting(run):
                    self._controller.add((service.scope, SERVICES.key(service), run.id))

    async def _reconcile(self, key: Key) -> datetime | None:
        scope, name, hook = key
        try:
            due = await self._store.read(partial(_find, (scope, name), hook))
            if due is None or due.run.call_after is None:
                return None
            if due.run.call_after > self._clock():
                return due.run.call_after
            after = await self._call(due)
            await self._store.write(partial(self._record, (scope, name), after))
        except StoreError as error:
            raise Again from error
        return after.call_after

    def _record(self, where: Where, run: HookRun, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)
        due = _find(where, run.id, tx)
        if due is not None:
            tx.put(SERVICES, hooks.with_run(due.service, run))

    async def _call(self, due: _Due) -> HookRun:
        """The hook after a call of its function."""
        arn = due.hook.hook_target_arn or ""
        try:
            answer = await self._invoke(arn, _payload(due))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            cause = str(error) or type(error).__name__
            why = f"ECS was unable to invoke hook target {arn} due to {cause}"
            return replace(due.run, status=HookStatus.FAILED, reason=why)
        return _judged(due.run, arn, answer, self._clock())

    async def _invoke(self, arn: str, payload: Mapping[str, Any]) -> Any:
        """What the function answers. Raises ``ValueError`` where it failed."""
        url = f"{self._url}/2015-03-31/functions/{quote(arn, safe='')}/invocations"
        body = msgspec.json.encode(payload)
        async with (
            aiohttp.ClientSession(timeout=_FUNCTION_LIMIT) as session,
            session.post(url, data=body, headers={"Content-Type": "application/json"}) as reply,
        ):
            answer = await reply.read()
            if reply.status != 200:
                raise ValueError(f"status {reply.status}")
            if failure := reply.headers.get("X-Amz-Function-Error"):
                raise ValueError(f"function error {failure}")
        try:
            return msgspec.json.decode(answer)
        except msgspec.DecodeError:
            return None


def _judged(run: HookRun, arn: str, answer: Any, now: datetime) -> HookRun:
    given = answer if isinstance(answer, dict) else {}
    match given.get("hookStatus"):
        case "SUCCEEDED":
            return replace(run, status=HookStatus.SUCCEEDED, call_after=None)
        case "FAILED":
            return replace(run, status=HookStatus.FAILED)
        case "IN_PROGRESS":
            details = run.hook_details
            if given.get("hookDetails"):
                details = msgspec.json.encode(given["hookDetails"]).decode()
            again = now + timedelta(seconds=_delay(given))
            return replace(run, call_after=again, hook_details=details)
        case _:
            why = f"ECS was unable to parse the response from {arn} due to {_NO_STATUS}"
            return replace(run, status=HookStatus.FAILED, reason=why)


def _delay(given: Mapping[str, Any]) -> float:
    delay = given.get("callBackDelay")
    return delay if isinstance(delay, int | float) and delay > 0 else _CALL_BACK


def _payload(due: _Due) -> Mapping[str, Any]:
    """What the function is told. Developer Guide, "Lifecycle payloads"."""
    service, primary = due.service, due.service.deployments[0]
    arns = {d.revision.id: d.revision.arn for d in service.deployments}
    shares = traffic.shares(service)
    record = f"{service.cluster}/{service.name}/{primary.service_deployment}"
    return {
        "executionId": due.run.id,
        "lifecycleStage": str(due.shift.stage),
        "resourceArn": service.scope.arn("ecs", f"service-deployment/{record}"),
        "executionDetails": {
            "serviceArn": service.arn,
            "targetServiceRevisionArn": primary.revision.arn,
            "testTrafficWeights": {arns[r]: test for r, (test, _) in shares.items()},
            "productionTrafficWeights": {arns[r]: share for r, (_, share) in shares.items()},
        },
        "hookDetails": msgspec.json.decode(due.run.hook_details or "{}"),
    }


def _find(where: Where, hook: str, view: View) -> _Due | None:
    """The hook of that id, if its function's answer is waited for."""
    service = view.get(SERVICES, *where)
    shift = traffic.current(service) if service else None
    if service is None or shift is None:
        return None
    waiting = (r for r in shift.hooks if r.id == hook and hooks.is_waiting(r))
    run = next(waiting, None)
    return _Due(service=service, shift=shift, run=run) if run else None


def _services(named: set[Where], view: View) -> list[Service]:
    found = (view.get(SERVICES, *where) for where in named)
    return [service for service in found if service is not None]
