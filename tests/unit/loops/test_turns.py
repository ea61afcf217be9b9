import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.loops.turns import Turns


class Parties:
    """Who takes turns, in the order they had them."""

    def __init__(self, places: int) -> None:
        self.turns = Turns(places)
        self.had: list[str] = []
        self.inside = self.most = 0
        self.go = asyncio.Event()

    def ask(self, party: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._take(party))

    async def _take(self, party: str) -> None:
        async with self.turns.turn(party):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.go.wait()
            self.had.append(party)
            self.inside -= 1


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_that_asks_once_is_not_behind_one_that_asks_often():
    parties = Parties(1)
    tasks = [parties.ask("many") for _ in range(10)]
    await settled()
    tasks.append(parties.ask("one"))
    await settled()
    parties.go.set()
    await asyncio.gather(*tasks)
    assert parties.had.index("one") <= 2


@given(st.integers(1, 4), st.lists(st.sampled_from("abc"), min_size=1, max_size=20))
def test_all_have_their_turns_and_never_too_many_at_once(places, asking):
    async def run() -> Parties:
        parties = Parties(places)
        tasks = [parties.ask(party) for party in asking]
        await settled()
        parties.go.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 5)
        return parties

    parties = asyncio.run(run())
    assert sorted(parties.had) == sorted(asking)
    assert parties.most == min(places, len(asking))


@pytest.mark.parametrize("given_already", [False, True])
async def test_a_turn_of_one_that_gave_up_goes_to_the_next(given_already):
    turns = Turns(1)
    holder = turns.turn("a")
    await holder.__aenter__()
    gives_up = asyncio.create_task(turns.turn("b").__aenter__())
    waits = asyncio.create_task(turns.turn("c").__aenter__())
    await settled()
    if given_already:
        await holder.__aexit__(None, None, None)
        gives_up.cancel()
    else:
        gives_up.cancel()
        await settled()
        await holder.__aexit__(None, None, None)
    await asyncio.wait_for(waits, 5)
    assert gives_up.cancelled()
