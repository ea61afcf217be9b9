"""What every store of logs does."""

from __future__ import annotations

import asyncio

import pytest

from openecs.decide.insights import compiled
from openecs.model.log_queries import Question
from openecs.model.logs import LogEvent, Position
from openecs.store.log_questions import QuestionStopped
from openecs.store.logs import Cursor, EventRange, StreamFilter, size_of
from openecs.store.sql import SqlLogStore

GROUP, OTHER = 123456789012345678, 5


def lines(*pairs):
    return [LogEvent(timestamp, message) for timestamp, message in pairs]


async def told(logs, limit=100, *, descending=False, **wanted):
    found = await logs.read(EventRange(group=GROUP, **wanted), limit, descending=descending)
    return [each.message for each in found]


async def test_streams_are_made_once_and_dropped_with_their_events(logs):
    assert await logs.create_stream(GROUP, "a", 10)
    assert not await logs.create_stream(GROUP, "a", 11)
    assert await logs.create_stream(OTHER, "a", 12)
    assert await logs.append(GROUP, "a", lines((1, "x")), 20)
    assert await logs.delete_stream(GROUP, "a")
    assert not await logs.delete_stream(GROUP, "a")
    assert await logs.stream(GROUP, "a") is None
    assert (await logs.stream(OTHER, "a")).created == 12
    assert not await logs.append(GROUP, "a", lines((1, "x")), 20)
    await logs.create_stream(GROUP, "a", 30)
    assert await told(logs) == []


async def test_a_stream_tells_the_times_of_its_events(logs):
    await logs.create_stream(GROUP, "a", 10)
    empty = await logs.stream(GROUP, "a")
    assert (empty.first_event, empty.last_event, empty.last_ingestion) == (None, None, None)
    await logs.append(GROUP, "a", lines((5, "x"), (7, "y")), 20)
    await logs.append(GROUP, "a", lines((2, "z")), 21)
    stream = await logs.stream(GROUP, "a")
    assert (stream.first_event, stream.last_event, stream.last_ingestion) == (2, 7, 21)


async def test_events_are_told_by_time_and_then_as_they_came(logs):
    for name in ("a", "b", "c"):
        await logs.create_stream(GROUP, name, 1)
    await logs.append(GROUP, "a", lines((5, "a5"), (7, "a7"), (7, "a7 too")), 20)
    await logs.append(GROUP, "b", lines((6, "b6"), (7, "b7")), 20)
    await logs.append(GROUP, "c", lines((1, "c1")), 20)
    assert await told(logs) == ["c1", "a5", "b6", "a7", "a7 too", "b7"]
    assert await told(logs, streams=("a",)) == ["a5", "a7", "a7 too"]
    assert await told(logs, streams=("a", "c", "none")) == ["c1", "a5", "a7", "a7 too"]
    assert await told(logs, streams=("none",)) == []
    assert await told(logs, streams=("a",), start=5, end=7) == ["a5"]
    assert await told(logs, 2, descending=True) == ["b7", "a7 too"]
    found = await logs.read(EventRange(group=GROUP, streams=("a",)), 2)
    assert found[1].stream == "a"
    assert found[1].ingested == 20
    assert await told(logs, streams=("a",), after=found[1].position) == ["a7 too"]
    assert await told(logs, streams=("a",), before=found[1].position) == ["a5"]
    assert await told(logs, after=Position(6, 0), before=Position(7, 0)) == ["b6"]


async def test_streams_in_each_order_page_by_page(logs):
    for name, last in (("b", 9), ("a", 5), ("c", None), ("ab", 9)):
        await logs.create_stream(GROUP, name, 1)
        if last:
            await logs.append(GROUP, name, lines((last, "x")), 20)

    async def names(**wanted):
        return [each.name for each in await logs.streams(StreamFilter(group=GROUP, **wanted))]

    assert await names() == ["a", "ab", "b", "c"]
    assert await names(descending=True, limit=2) == ["c", "b"]
    assert await names(prefix="a") == ["a", "ab"]
    assert await names(after=(0, "ab")) == ["b", "c"]
    assert await names(by_last_event=True) == ["c", "a", "ab", "b"]
    assert await names(by_last_event=True, descending=True, after=(9, "ab")) == ["a", "c"]


async def test_a_cursor_is_kept_with_what_was_read(logs):
    assert await logs.cursor("container") is None
    assert not await logs.append(GROUP, "a", lines((1, "x")), 2, Cursor("container", "1"))
    assert await logs.cursor("container") is None
    await logs.create_stream(GROUP, "a", 1)
    assert await logs.append(GROUP, "a", lines((1, "x")), 2, Cursor("container", "1"))
    assert await logs.append(GROUP, "a", [], 3, Cursor("container", "2"))
    assert await logs.cursor("container") == "2"
    await logs.forget_cursor("container")
    assert await logs.cursor("container") is None


async def test_old_events_are_trimmed_and_groups_dropped(logs):
    for group in (GROUP, OTHER):
        await logs.create_stream(group, "a", 1)
        await logs.append(group, "a", lines((5, "old"), (6, "né")), 20)
    await logs.trim(GROUP, 6)
    assert await told(logs) == ["né"]
    sizes = await logs.sizes([GROUP, OTHER, 7])
    assert sizes == {GROUP: size_of("né"), OTHER: size_of("old") + size_of("né"), 7: 0}
    assert await logs.groups() == sorted([GROUP, OTHER])
    await logs.drop(GROUP)
    assert await logs.groups() == [OTHER]
    assert await told(logs) == []
    await logs.clear()
    assert await logs.groups() == []


async def test_many_writers_at_once(logs):
    await logs.create_stream(GROUP, "a", 1)
    await asyncio.gather(*(logs.append(GROUP, "a", lines((n, f"{n}")), n) for n in range(1, 101)))
    assert await told(logs, 200) == [f"{n}" for n in range(1, 101)]


async def test_what_was_appended_is_there_after_a_restart(url):
    for seen in ([], ["x"]):
        logs = SqlLogStore(url)
        await logs.open()
        assert await told(logs) == seen
        await logs.create_stream(GROUP, "a", 1)
        if not seen:
            await logs.append(GROUP, "a", lines((1, "x")), 2, Cursor("c", "7"))
        assert await logs.cursor("c") == "7"
        await logs.close()


async def test_all_groups_are_read_in_the_order_of_writing(logs):
    assert await logs.newest() == 0
    for group in (GROUP, OTHER):
        await logs.create_stream(group, "a", 1)
    await logs.append(GROUP, "a", lines((9, "first")), 2)
    await logs.append(OTHER, "a", lines((1, "second")), 3)
    found = await logs.newer(0, 10)
    assert [(group, event.message) for group, event in found] == [
        (GROUP, "first"),
        (OTHER, "second"),
    ]
    assert await logs.newest() == found[1][1].id
    assert [event.message for _, event in await logs.newer(found[0][1].id, 1)] == ["second"]
    await logs.put_cursor(Cursor("all", "7"))
    assert await logs.cursor("all") == "7"


async def test_sources_and_what_is_new_in_one_group(logs):
    for group in (GROUP, OTHER):
        await logs.create_stream(group, "a", 1)
    await logs.append(GROUP, "a", lines((9, "x")), 2)
    await logs.append(OTHER, "a", lines((1, "y")), 2)
    await logs.append(GROUP, "a", lines((3, "z")), 2)
    found = await logs.newer(0, 10, GROUP)
    assert [(group, event.message) for group, event in found] == [(GROUP, "x"), (GROUP, "z")]
    for source in ("a_/1", "a_/2", "ab/3"):
        await logs.put_cursor(Cursor(source, "1"))
    assert await logs.sources("a_/") == ["a_/1", "a_/2"]


async def test_questions_are_answered_of_groups_and_times(logs):
    for group in (GROUP, OTHER):
        await logs.create_stream(group, "a", 1)
        await logs.append(group, "a", lines((5, "x 1"), (6, "né 2"), (7, "x 4"), (9, "x 8")), 20)
    made = compiled(r"parse @message /(?<n>\d)/ | stats sum(n) as n, count(*) by @log", 10, 0)
    answer = await logs.ask(Question(made, {GROUP: "mine"}, 5, 7), lambda: False)
    assert list(answer.rows) == [("mine", 7, 3)]
    assert (answer.scanned, answer.size) == (3, len("x 1né 2x 4".encode()))
    both = Question(made, {GROUP: "mine", OTHER: "other"}, 0, 100)
    assert sorted(answer[1] for answer in (await logs.ask(both, lambda: False)).rows) == [15, 15]
    with pytest.raises(QuestionStopped):
        await logs.ask(both, lambda: True)


async def test_what_was_kept_first_goes_first(logs):
    for group in (GROUP, OTHER):
        await logs.create_stream(group, "a", 1)
    await logs.append(GROUP, "a", lines((9, "first"), (1, "second")), 20)
    await logs.append(OTHER, "a", lines((5, "third")), 21)
    assert await logs.shrink(1_000) == 0
    assert await logs.shrink(size_of("second") + size_of("third")) == size_of("first")
    assert await told(logs) == ["second"]
    assert await logs.shrink(size_of("third") + 1) == size_of("second")
    assert await logs.sizes([GROUP, OTHER]) == {GROUP: 0, OTHER: size_of("third")}
