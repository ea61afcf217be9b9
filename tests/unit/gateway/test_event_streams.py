"""Answers that go on until somebody ends them."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from botocore.eventstream import EventStreamBuffer

from openecs.gateway.event_streams import OpenStreams, frame


def test_a_frame_is_read_by_botocore():
    buffer = EventStreamBuffer()
    buffer.add_data(frame({":event-type": "x", "é": "ü"}, b"{}") + frame({}, b""))
    first, second = buffer
    assert (first.headers, first.payload) == ({":event-type": "x", "é": "ü"}, b"{}")
    assert second.payload == b""


async def without_end():
    for number in itertools.count():
        yield b"%d" % number
        await asyncio.sleep(0)


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_stream_ends_when_the_client_leaves_or_the_server_does(leaves):
    streams, sent, left = OpenStreams(), [], asyncio.Event()

    async def receive():
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)
        if len(sent) == 3:
            left.set() if leaves else streams.end()

    async with asyncio.timeout(10):
        await streams.send(without_end(), receive, send)
    assert [message["body"] for message in sent[:2]] == [b"0", b"1"]
    assert sent[-1] == {"type": "http.response.body", "body": b""}
