"""What logs cost: taking them in, a page of a large group, and looking through a million.

``python -m benchmarks.logs [--events N]``. On a store on disk. Lines come as the engine's output
does, from several containers at once, through the reader of lines, with their cursors.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from openecs.decide import filter_patterns
from openecs.decide.filter_patterns import Pattern
from openecs.decide.insights import compiled
from openecs.decide.log_lines import LineReader, mark_of
from openecs.model.log_queries import Question
from openecs.model.logs import Piece
from openecs.store.logs import Cursor, EventRange
from openecs.store.sql import SqlLogStore

GROUP, OTHER = 1, 2
CONTAINERS = 8
#: Lines of a container that come at once.
AT_ONCE = 2_000
#: Lines a second; milliseconds; seconds.
INGESTED, PAGE, SEARCHED = 50_000, 20.0, 2.0
MILLION = 1_000_000
BEGIN = 1_767_225_600_000
QUERIES = (
    "filter @message like /status=50[03]/ | stats count(*) by bin(5m)",
    'parse @message "path=* status=* took=*" as path, status, took | stats avg(took) by path',
)


def line(number: int) -> str:
    """What a web server may print."""
    return f"path=/shop/{number % 97} status={200 + number % 301} took={number % 1013}"


async def ingest(logs: SqlLogStore, group: int, count: int) -> float:
    """Log so many lines; lines a second."""

    async def follow(container: int) -> None:
        await logs.create_stream(group, f"{container}", BEGIN)
        reader = LineReader(mark_of(None), None)
        for first in range(container * AT_ONCE, count, CONTAINERS * AT_ONCE):
            pieces = [
                Piece((BEGIN + number // 10) * 1_000_000 + number % 10, 1, line(number).encode())
                for number in range(first, min(first + AT_ONCE, count))
            ]
            events = reader.read(pieces)
            cursor = Cursor(f"{group}/{container}", str(reader.mark()))
            assert await logs.append(group, f"{container}", events, BEGIN, cursor)

    begun = time.perf_counter()
    await asyncio.gather(*(follow(container) for container in range(CONTAINERS)))
    return count / (time.perf_counter() - begun)


async def page(logs: SqlLogStore, limit: int) -> float:
    """The middle of five times a page took, in milliseconds."""
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        found = await logs.read(EventRange(group=GROUP, streams=("3",)), limit, descending=True)
        took.append((time.perf_counter() - begun) * 1000)
        assert len(found) == limit
    return sorted(took)[2]


async def search(logs: SqlLogStore, text: str) -> tuple[float, int]:
    """Filter a million events, page by page."""
    pattern = filter_patterns.read(text)
    assert isinstance(pattern, Pattern)
    begun, after, count = time.perf_counter(), None, 0
    while found := await logs.read(EventRange(group=OTHER, after=after), 10_000):
        count += sum(pattern.is_match(event.message) for event in found)
        after = found[-1].position
    return time.perf_counter() - begun, count


async def ask(logs: SqlLogStore, text: str) -> tuple[float, int]:
    """A query of Insights over a million events."""
    question = Question(compiled(text, 10_000, BEGIN), {OTHER: "other"}, 0, 2 * BEGIN)
    begun = time.perf_counter()
    answer = await logs.ask(question, lambda: False)
    assert answer.scanned == MILLION
    return time.perf_counter() - begun, len(answer.rows)


async def measure(events: int, directory: str) -> None:
    """Print the table."""
    logs = SqlLogStore(f"sqlite:///{Path(directory) / 'logs.db'}")
    await logs.open()
    told(f"{events:,} lines taken in", await ingest(logs, GROUP, events), INGESTED, "lines/s")
    for limit in (100, 1_000, 10_000):
        told(f"a page of {limit:,}", await page(logs, limit), PAGE, "ms")
    await ingest(logs, OTHER, MILLION)
    for text in ("status=503", "%status=50[03]%"):
        took, _ = await search(logs, text)
        told(f"FilterLogEvents {text}", took, SEARCHED, "s")
    for text in QUERIES:
        took, _ = await ask(logs, text)
        told(text, took, SEARCHED, "s")
    await logs.close()


def told(what: str, value: float, goal: float, unit: str) -> None:
    """One row."""
    print(f"| {what} | {value:,.1f} {unit} | {goal:,.0f} {unit} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(measure(given.events, directory))


if __name__ == "__main__":
    main()
