"""Forgetting what AWS forgets: stopped tasks, deleted definitions and secrets, what is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog

from openecs.api.secretsmanager.secrets import remove as remove_secret
from openecs.api.sts import task_sessions
from openecs.decide import retention
from openecs.model.services import Service
from openecs.model.tasks import Task, TaskStatus
from openecs.store.alarms import ALARM_HISTORY
from openecs.store.base import Kind, Store, StoreError, Transaction, View
from openecs.store.iam import SESSIONS
from openecs.store.kinds import (
    CLUSTERS,
    DAEMON_DEPLOYMENTS,
    IDEMPOTENCY,
    SERVICE_DEPLOYMENTS,
    SERVICE_EVENTS,
    SERVICE_REVISIONS,
    SERVICES,
    TASK_DEFINITIONS,
    TASK_SETS,
    TASKS,
    stopped_hour,
    task_definition_key,
)
from openecs.store.scaling import SCALING_ACTIVITIES
from openecs.store.secrets import SECRETS
from openecs.store.task_credentials import TASK_CREDENTIALS

T = TypeVar("T")

log = structlog.get_logger(__name__)


#: How many tasks are looked at in one read: bounds how long others wait.
PAGE = 200
HOUR = timedelta(hours=1)


class Retention:
    """Looks at what has ended, now and then, and removes what ended long enough ago.

    The first pass looks at every task; later ones only at the hours that came of age since.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        stopped_tasks: timedelta,
        interval: timedelta = timedelta(minutes=1),
    ) -> None:
        self._store = store
        self._clock = clock
        self._keep = stopped_tasks
        self._interval = interval
        self._seen_until: datetime | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.run_once()
            except StoreError as error:
                log.warning("retention waits", reason=str(error))
            await asyncio.sleep(self._interval.total_seconds())

    async def run_once(self) -> None:
        """One pass."""
        now = self._clock()
        async for tasks in self._candidates(now - self._keep):
            if expired := retention.expired_tasks(tasks, self._keep, now):
                await self._store.write(partial(_forget_tasks, expired))
        self._seen_until = now - self._keep
        await self._store.write(partial(_forget_rest, now))
        for forget in (_forget_history, _forget_activities):
            has_more = True
            while has_more:
                has_more = await self._store.write(partial(forget, now))

    async def _candidates(self, until: datetime) -> AsyncIterator[Sequence[Task]]:
        if self._seen_until is None:
            async for page in self._everything():
                yield page
            return
        hour = self._seen_until - HOUR
        while hour <= until + HOUR:
            words = (stopped_hour(hour),)
            yield await self._store.read(partial(_stopped_in, words))
            hour += HOUR

    async def _everything(self) -> AsyncIterator[Sequence[Task]]:
        after = ""
        while True:
            page = await self._store.read(partial(_page, after))
            yield page
            if len(page) < PAGE:
                return
            after = TASKS.key(page[-1])
            await asyncio.sleep(0)


def _page(after: str, view: View) -> Sequence[Task]:
    return view.scan(TASKS, None, after=after, limit=PAGE)


def _stopped_in(words: tuple[str], view: View) -> Sequence[Task]:
    return view.find(TASKS, None, "stopped", words)


def _forget_tasks(expired: Sequence[Task], transaction: Transaction) -> None:
    for task in expired:
        transaction.delete(TASKS, task.scope, TASKS.key(task))


def _forget_rest(now: datetime, transaction: Transaction) -> None:
    clusters = transaction.scan(CLUSTERS, None)
    for cluster in retention.expired_clusters(clusters, retention.DELETED_CLUSTERS, now):
        transaction.delete(CLUSTERS, cluster.scope, cluster.name)
    records = transaction.scan(IDEMPOTENCY, None)
    for record in retention.expired_records(records, retention.IDEMPOTENCY_RECORDS, now):
        transaction.delete(IDEMPOTENCY, record.scope, record.token)
    for secret in transaction.find(SECRETS, None, "deleted", ()):
        if secret.gone_at is not None and secret.gone_at <= now:
            remove_secret(transaction, secret)
    _forget_credentials(now, transaction)
    _forget_services(now, transaction)
    _forget_definitions(transaction)


def _forget_credentials(now: datetime, transaction: Transaction) -> None:
    for session in transaction.scan(SESSIONS, None):
        if session.expires_at <= now:
            transaction.delete(SESSIONS, session.scope, session.id)
    for credentials in transaction.scan(TASK_CREDENTIALS, None):
        task = transaction.get(TASKS, credentials.scope, credentials.task)
        if task is None or task.last_status is TaskStatus.STOPPED:
            task_sessions.end(transaction, credentials.scope, credentials.task)


def _forget_history(now: datetime, transaction: Transaction) -> bool:
    """Forget a page of what happened to alarms; whether there may be more."""
    oldest = transaction.scan(ALARM_HISTORY, None, limit=PAGE)
    expired = retention.expired_history(oldest, retention.ALARM_HISTORY, now)
    for item in expired:
        transaction.delete(ALARM_HISTORY, item.scope, ALARM_HISTORY.key(item))
    return len(expired) == PAGE


def _forget_activities(now: datetime, transaction: Transaction) -> bool:
    """Forget a page of what scaling has done; whether there may be more."""
    oldest = transaction.scan(SCALING_ACTIVITIES, None, limit=PAGE)
    expired = retention.expired_activities(oldest, retention.SCALING_ACTIVITIES, now)
    for activity in expired:
        key = SCALING_ACTIVITIES.key(activity)
        transaction.delete(SCALING_ACTIVITIES, activity.scope, key)
    return len(expired) == PAGE


def _forget_services(now: datetime, transaction: Transaction) -> None:
    gone = transaction.find(SERVICES, None, "inactive", ())
    for service in retention.expired_services(gone, retention.DELETED_SERVICES, now):
        key = SERVICES.key(service)
        transaction.delete(SERVICES, service.scope, key)
        transaction.delete(SERVICE_EVENTS, service.scope, key)
        _delete_parts(SERVICE_DEPLOYMENTS, service, transaction)
        _delete_parts(SERVICE_REVISIONS, service, transaction)
    _forget_deployments(SERVICE_DEPLOYMENTS, now, transaction)
    _forget_deployments(DAEMON_DEPLOYMENTS, now, transaction)


def _forget_deployments(kind: Kind[retention.D], now: datetime, transaction: Transaction) -> None:
    records = transaction.find(kind, None, "ended", ())
    for record in retention.expired_deployments(records, retention.ENDED_DEPLOYMENTS, now):
        transaction.delete(kind, record.scope, kind.key(record))


def _delete_parts(kind: Kind[T], service: Service, transaction: Transaction) -> None:
    prefix = f"{SERVICES.key(service)}/"
    for part in transaction.scan(kind, service.scope, prefix=prefix):
        transaction.delete(kind, service.scope, kind.key(part))


def _forget_definitions(transaction: Transaction) -> None:
    deleted = transaction.find(TASK_DEFINITIONS, None, "deleted", ())
    if not deleted:
        return
    in_use = _definitions_in_use(transaction)
    for definition in retention.expired_definitions(deleted, in_use):
        key = task_definition_key(definition.family, definition.revision)
        transaction.delete(TASK_DEFINITIONS, definition.scope, key)


def _definitions_in_use(view: View) -> set[str]:
    """The ARNs of the definitions that tasks run from and that services start tasks from."""
    alive = view.find(TASKS, None, "alive", ())
    in_use = {task.definition_arn for task in alive}
    for service in view.find(SERVICES, None, "present", ()):
        in_use |= {each.revision.task_definition_arn for each in service.deployments}
    return in_use | {each.revision.task_definition_arn for each in view.scan(TASK_SETS, None)}
