"""Logs Insights: what queries find, in each store."""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from gateway_door import ACCOUNT, client_of, gateway_of, served
from openecs.api import logs
from openecs.control.log_queries import LogQueries
from openecs.model.logs import LogEvent
from openecs.store.logs import LOG_GROUPS
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore
from openecs.store.sql import SqlLogStore

BASE = int(time.time()) // 3600 * 3600 * 1000 - 3_600_000
LINES = [
    "GET /a took 10 ms",
    "GET /b took 20 ms",
    "GET /a took 31 ms",
    json.dumps({"status": 500, "path": "/x", "user": {"name": "Ann"}, "tags": ["t0", "t1"]}),
    json.dumps({"status": 200, "path": "/y", "took": "7.5"}),
    "ERROR: disk `full` 100%",
]


class World:
    def __init__(self, kept):
        self.store, self.kept = MemoryStore(), kept
        self.loop = LogQueries(store=self.store, logs=kept, clock=lambda: datetime.now(UTC))

    async def ask(self, text, **members):
        times = {"startTime": BASE // 1000, "endTime": BASE // 1000 + 3600}
        known = {"logGroupName": "g", **times, "queryString": text, **members}
        started = await asyncio.to_thread(self.logs.start_query, **known)
        for query in (await self.loop._waiting()).values():
            await self.loop.answer(query)
        return await asyncio.to_thread(self.logs.get_query_results, queryId=started["queryId"])

    async def rows(self, text, **members):
        answer = await self.ask(text, **members)
        assert answer["status"] == "Complete"
        return [
            {each["field"]: each["value"] for each in row if each["field"] != "@ptr"}
            for row in answer["results"]
        ]


@pytest.fixture(params=["memory", "sqlite"])
async def world(request, tmp_path):
    is_memory = request.param == "memory"
    kept = MemoryLogStore() if is_memory else SqlLogStore(f"sqlite:///{tmp_path}/logs.db")
    await kept.open()
    world = World(kept)
    with served(gateway_of(logs.SERVICE, store=world.store, logs=MemoryLogStore())) as url:
        world.logs = client_of(url, "logs")
        await asyncio.to_thread(world.logs.create_log_group, logGroupName="g")
        (group,) = await world.store.read(lambda view: view.find(LOG_GROUPS, None, "present", ()))
        await kept.create_stream(group.id, "s", BASE)
        events = [LogEvent(BASE + number * 60_000, line) for number, line in enumerate(LINES)]
        await kept.append(group.id, "s", events, BASE)
        yield world
    await kept.close()


@pytest.mark.covers("logs:StartQuery", "logs:GetQueryResults")
async def test_the_newest_events_come_first(world):
    answer = await world.ask("fields @timestamp, @message, @logStream, @log | limit 2")
    first = {each["field"]: each["value"] for each in answer["results"][0]}
    at = datetime.fromtimestamp(BASE / 1000 + 300, UTC)
    assert first.pop("@ptr")
    assert first == {
        "@timestamp": f"{at:%Y-%m-%d %H:%M:%S}.000",
        "@message": LINES[5],
        "@logStream": "s",
        "@log": f"{ACCOUNT}:g",
    }
    assert len(answer["results"]) == 2
    assert answer["statistics"]["recordsScanned"] == 6
    assert answer["statistics"]["bytesScanned"] == sum(map(len, LINES))


FOUND = [
    ("filter status >= 500 | display path, user.name", [{"path": "/x", "user.name": "Ann"}]),
    ("filter tags.1 = 't1' | display status", [{"status": "500"}]),
    ("filter @message like /(?i)error/ | display @message", [{"@message": LINES[5]}]),
    ('filter @message like "`full` 100%" | display @message', [{"@message": LINES[5]}]),
    (r"filter @message =~ /^GET \/b/ | display @message", [{"@message": LINES[1]}]),
    ("filter status in [200, 201] and not (path = '/x') | display path", [{"path": "/y"}]),
    ("filter status not in [200] and ispresent(status) | display path", [{"path": "/x"}]),
    ("filter took > 7 | display took", [{"took": "7.5"}]),
    (
        (
            "parse @message 'GET * took * ms' as path, took # a comment\n| filter ispresent(took)"
            "| stats count(*) as n, avg(took), max(took), pct(took, 50) by path | sort n desc"
        ),
        [
            {
                "path": "/a",
                "n": "2",
                "avg(took)": "20.5",
                "max(took)": "31",
                "pct(took, 50)": "20.5",
            },
            {
                "path": "/b",
                "n": "1",
                "avg(took)": "20",
                "max(took)": "20",
                "pct(took, 50)": "20",
            },
        ],
    ),
    (
        r"parse @message /took (?<ms>\d+)/ | filter ms > 9 | sort ms desc | limit 1",
        [{"ms": "31"}],
    ),
    (
        "parse @message 'GET * took' as p | filter ispresent(p) | dedup p | sort p | display p",
        [{"p": "/a"}, {"p": "/b"}],
    ),
    (
        (
            "filter strcontains(@message, 'ERR') | fields toupper('a') as u"
            ", strlen(@logStream) as n"
            ", substr('hello', 1, 3) as t, 2 ^ 3 + 7 % 4 as x, concat('a', 1) as c, abs(-1.5) as f,"
            " isValidIp('10.0.0.1') as ip | display u, n, t, x, c, f, ip"
        ),
        [{"u": "A", "n": "1", "t": "ell", "x": "11", "c": "a1", "f": "1.5", "ip": "1"}],
    ),
    (
        "stats count(*), count(status), count_distinct(path)",
        [{"count(*)": "6", "count(status)": "2", "count_distinct(path)": "2"}],
    ),
    ("stats latest(@message) as l, earliest(@message) as e", [{"l": LINES[5], "e": LINES[0]}]),
]


async def test_what_queries_find(world):
    for text, expected in FOUND:
        assert await world.rows(text) == expected, text


async def test_time_comes_in_bins(world):
    found = await world.rows("stats count(*) as n by bin(3m)")
    assert [each["n"] for each in found] == ["3", "3"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:00\.000", e["bin(3m)"]) for e in found)


MALFORMED = [
    ("fields @message | filter status >", 33, "unexpected end"),
    ("fields @message | nonsense x", 18, "nonsense"),
    ("pattern @message", 0, "does not build the command pattern"),
    ("filter @message like /(/", 21, "regular expression"),
    ("filter shell('x') = 1", 7, "shell"),
    ("stats x", 6, "stats"),
    ("filter " + "not " * 2400 + "1", 0, "too deep"),
]


def test_what_cannot_be_meant_and_where(world):
    for text, start, said in MALFORMED:
        with pytest.raises(ClientError, match=said) as caught:
            world.logs.start_query(logGroupName="g", startTime=0, endTime=1, queryString=text)
        answer = caught.value.response
        assert answer["Error"]["Code"] == "MalformedQueryException"
        assert answer["queryCompileError"]["location"]["startCharOffset"] == start, text


@pytest.mark.parametrize("text", ["'; DROP TABLE log_events; --", '") UNION SELECT 1 --'])
async def test_no_text_of_a_query_gets_into_the_sql(world, text):
    quoted = json.dumps(text)
    assert await world.rows(f'filter @message = {quoted} | fields `x"{text}`') == []
    (row,) = await world.rows("stats count(*) as n")
    assert row == {"n": "6"}


@pytest.mark.covers("logs:StopQuery", "logs:DescribeQueries")
async def test_queries_are_listed_and_stopped(world):
    await world.ask("stats count(*)")
    known = {"logGroupName": "g", "startTime": 0, "endTime": 1}
    id_ = world.logs.start_query(**known, queryString="fields @message")["queryId"]
    scheduled = world.logs.describe_queries(status="Scheduled")["queries"]
    assert [query["queryId"] for query in scheduled] == [id_]
    assert world.logs.stop_query(queryId=id_)["success"]
    assert world.logs.get_query_results(queryId=id_)["status"] == "Cancelled"
    assert len(world.logs.describe_queries(logGroupName="g")["queries"]) == 2
    with pytest.raises(ClientError, match="InvalidParameterException"):
        world.logs.stop_query(queryId=id_)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        world.logs.get_query_results(queryId="x")


async def test_a_query_that_takes_too_long_is_ended(world):
    world.loop = LogQueries(
        store=world.store,
        logs=world.kept,
        clock=lambda: datetime.now(UTC),
        limit=timedelta(seconds=-1),
    )
    answer = await world.ask("stats count(*)")
    assert answer["status"] == "Timeout"


async def test_the_loop_answers_what_is_started(world):
    working = asyncio.create_task(world.loop.run())
    known = {"startTime": BASE // 1000, "endTime": BASE // 1000 + 3600, "logGroupName": "g"}
    started = await asyncio.to_thread(
        world.logs.start_query, **known, queryString="stats count(*) as n"
    )
    async with asyncio.timeout(10):
        while True:
            answer = await asyncio.to_thread(
                world.logs.get_query_results, queryId=started["queryId"]
            )
            if answer["status"] == "Complete":
                break
            await asyncio.sleep(0.02)
    assert answer["results"] == [[{"field": "n", "value": "6"}]]
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


@pytest.mark.covers(
    "logs:PutQueryDefinition", "logs:DescribeQueryDefinitions", "logs:DeleteQueryDefinition"
)
def test_queries_are_kept_under_names():
    with served(gateway_of(logs.SERVICE)) as url:
        client = client_of(url, "logs")
        put = client.put_query_definition
        ids = [
            put(name=name, queryString="fields @message")["queryDefinitionId"]
            for name in ("b", "a")
        ]
        assert put(name="b2", queryString="limit 1", queryDefinitionId=ids[0])
        first = client.describe_query_definitions(maxResults=1)
        assert [each["name"] for each in first["queryDefinitions"]] == ["a"]
        rest = client.describe_query_definitions(nextToken=first["nextToken"])["queryDefinitions"]
        assert [(each["name"], each["queryString"]) for each in rest] == [("b2", "limit 1")]
        assert client.delete_query_definition(queryDefinitionId=ids[0])["success"]
        found = client.describe_query_definitions(queryDefinitionNamePrefix="b")
        assert found["queryDefinitions"] == []
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            client.delete_query_definition(queryDefinitionId=ids[0])
