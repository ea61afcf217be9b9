"""What scaling has done is forgotten after six weeks."""

from __future__ import annotations

from datetime import timedelta

from openecs.control.retention import PAGE, Retention
from openecs.model.identity import Scope
from openecs.model.scaling import ActivityStatus, ScalingActivity
from openecs.store.memory import MemoryStore
from openecs.store.scaling import SCALING_ACTIVITIES
from openecs.testing.builders import NOW, SCOPE

SIX_WEEKS = timedelta(weeks=6)
ELSEWHERE = Scope(SCOPE.account, "us-west-2")


def activity(number, age, scope=SCOPE):
    return ScalingActivity(
        scope=scope,
        resource_id="service/default/web",
        id=str(number),
        description="",
        cause="",
        status=ActivityStatus.SUCCESSFUL,
        message="",
        started_at=NOW - age,
    )


async def test_all_that_are_old_go_in_every_scope():
    store = MemoryStore()
    old = [activity(n, SIX_WEEKS) for n in range(PAGE + 1)]
    recent = activity("recent", SIX_WEEKS - timedelta(seconds=1))
    away = activity("away", SIX_WEEKS, ELSEWHERE)
    for each in (*old, recent, away):
        await store.write(lambda tx, each=each: tx.put(SCALING_ACTIVITIES, each))
    await Retention(store=store, clock=lambda: NOW, stopped_tasks=timedelta(hours=1)).run_once()
    assert await store.read(lambda view: view.scan(SCALING_ACTIVITIES, None)) == [recent]
