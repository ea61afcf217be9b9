"""kill -9 in a storm of writes, many times: nothing acknowledged is lost, nothing is halved."""

import asyncio
import random
import subprocess
import sys
import time

from openecs.model.identity import Scope
from openecs.store.base import Change
from openecs.store.kinds import IDEMPOTENCY
from openecs.store.sql import SqlStore

ROUNDS = 15
HERE = Scope("000000000000", "us-east-1")

WRITER = """
import asyncio, os, sys
from datetime import UTC, datetime
from openecs.model.clusters import IdempotencyRecord
from openecs.model.identity import Scope
from openecs.store.kinds import IDEMPOTENCY
from openecs.store.sql import SqlStore

def record(token):
    return IdempotencyRecord(scope=Scope("000000000000", "us-east-1"), token=token,
        fingerprint="x" * 500, resources=(), created_at=datetime(2026, 1, 1, tzinfo=UTC))

async def storm(store, name):
    n = 0
    while True:
        token = f"{name}-{n}"
        def work(transaction):
            transaction.put(IDEMPOTENCY, record(token + "/left"))
            transaction.put(IDEMPOTENCY, record(token + "/right"))
        await store.write(work)
        os.write(1, f"{token}\\n".encode())
        n += 1

async def main(url, prefix):
    store = SqlStore(url)
    await store.open()
    os.write(1, b"open\\n")
    await asyncio.gather(*(storm(store, f"{prefix}-{k}") for k in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


def acknowledged(url, prefix, seconds):
    """The keys a process acknowledged before it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, prefix], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "open\n"
        time.sleep(seconds)
        process.kill()
        lines = process.stdout.read()
    # The last line may have been cut off in the middle.
    return lines.rpartition("\n")[0].split("\n") if "\n" in lines else []


async def contents(url):
    store = SqlStore(url)
    await store.open()
    try:
        tokens = await store.read(lambda v: [r.token for r in v.scan(IDEMPOTENCY, HERE)])
        revision = await store.read(lambda v: v.revision)
        changes: list[Change] = []
        feed = store.follow(max(0, revision - 5_000))
        async with asyncio.timeout(10):
            while not changes or changes[-1].revision < revision:
                changes += await anext(feed)
        await feed.aclose()
        return set(tokens), revision, changes
    finally:
        await store.close()


def test_kill_9_loses_nothing_acknowledged(tmp_path):
    url = f"sqlite:///{tmp_path}/openecs.db"
    chance = random.Random(2026)
    known: set[str] = set()
    for number in range(ROUNDS):
        known |= set(acknowledged(url, f"r{number}", chance.uniform(0.02, 0.4)))
        tokens, revision, changes = asyncio.run(contents(url))
        assert {f"{token}/left" for token in known} <= tokens
        left = {token.removesuffix("/left") for token in tokens if token.endswith("/left")}
        right = {token.removesuffix("/right") for token in tokens if token.endswith("/right")}
        assert left == right
        assert revision == len(tokens)
        assert [c.revision for c in changes] == list(
            range(revision - len(changes) + 1, revision + 1)
        )
        assert {c.key for c in changes} <= tokens
    assert len(known) > 100 * ROUNDS
