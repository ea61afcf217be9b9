"""Credentials that have ended are forgotten."""

from datetime import timedelta

from openecs.control.retention import Retention
from openecs.model.iam import Session
from openecs.store.iam import SESSIONS, iam_scope
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW


def session(key, minutes):
    return Session(
        scope=iam_scope("123456789012"),
        id=key,
        secret="secret",
        token="token",
        created_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(minutes=minutes),
        arn="arn:aws:sts::123456789012:assumed-role/ops/s",
        user_id="AROA:s",
        role="ops",
    )


async def test_only_sessions_that_have_ended_go():
    store = MemoryStore()
    for each in (session("ASIAOLD", -1), session("ASIANEW", 1)):
        await store.write(lambda tx, each=each: tx.put(SESSIONS, each))
    await Retention(store=store, clock=lambda: NOW, stopped_tasks=timedelta(hours=1)).run_once()
    assert [kept.id for kept in await store.read(lambda v: v.scan(SESSIONS, None))] == ["ASIANEW"]
