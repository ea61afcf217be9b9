"""Traffic that moves from one target group to another finds targets on both sides."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import aiohttp
import pytest

from edge_world import GROUP, OTHER, says, upstream
from openecs.model.load_balancing import Action, ForwardAction, WeightedTargetGroup
from openecs.store.kinds import LISTENERS, TARGET_HEALTH, TARGETS
from openecs.testing.builders import SCOPE, a_listener

pytestmark = pytest.mark.engine


def weighted(*shares) -> tuple[Action]:
    groups = tuple(WeightedTargetGroup(target_group_arn=g.arn, weight=w) for g, w in shares)
    return (Action(type="forward", forward=ForwardAction(target_groups=groups)),)


async def drop(world, target) -> None:
    def work(tx):
        tx.delete(TARGETS, SCOPE, target.key)
        tx.delete(TARGET_HEALTH, SCOPE, target.key)

    await world.store.write(work)


async def test_no_request_is_lost_where_targets_leave_as_soon_as_the_traffic_has(world) -> None:
    seen: Counter[int] = Counter()

    async def ask() -> None:
        while True:
            try:
                status, *_ = await world.get()
            except aiohttp.ClientError:
                status = 0
            seen[status] += 1

    async with upstream("one") as one, upstream("other") as other, world.edge():
        sides = [(GROUP, one, "one"), (OTHER, other, "other")]
        await world.balance(GROUP, OTHER, default_actions=weighted((GROUP, 100), (OTHER, 0)))
        serving = await world.serve(one)
        await world.until(says("one"))
        asking = [asyncio.create_task(ask()) for _ in range(4)]
        for _ in range(20):
            sides.reverse()
            (group, port, name), (left, _, _) = sides
            comes = await world.serve(port, group)
            for share in (50, 100):
                listener = a_listener(group, port=world.port)
                moved = weighted((group, share), (left, 100 - share))
                await world.put(LISTENERS, replace(listener, default_actions=moved))
            await drop(world, serving)
            serving = comes
            await world.until(says(name))
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    assert set(seen) == {200}, seen
