"""The data channel's messages and streams, against the plugin's layout written out here."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.data_channel import streams
from openecs.decide.data_channel.messages import (
    Malformed,
    Message,
    MessageType,
    PayloadType,
    decode,
    encode,
)
from openecs.decide.data_channel.streams import Incoming, Outgoing

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = UUID("00112233-4455-6677-8899-aabbccddeeff")


def message(sequence=0, payload=b"hi", **members):
    given = {"type": MessageType.OUTPUT, "payload_type": PayloadType.OUTPUT, **members}
    return Message(id=ID, created_at=NOW, sequence=sequence, payload=payload, **given)


def test_a_message_is_laid_out_as_the_plugin_reads_it():
    data = encode(message(sequence=7, flags=3))
    assert data[0:4] == (116).to_bytes(4)
    assert data[4:36] == b"output_stream_data              "
    assert data[36:40] == (1).to_bytes(4)
    assert data[40:48] == int(NOW.timestamp() * 1000).to_bytes(8)
    assert data[48:56] == (7).to_bytes(8)
    assert data[56:64] == (3).to_bytes(8)
    assert data[64:80].hex() == "8899aabbccddeeff0011223344556677"
    assert data[80:112] == hashlib.sha256(b"hi").digest()
    assert data[112:116] == (1).to_bytes(4)
    assert data[116:120] == (2).to_bytes(4)
    assert data[120:] == b"hi"


@given(
    payload=st.binary(max_size=64),
    sequence=st.integers(0, 2**62),
    kind=st.sampled_from(MessageType),
    of=st.sampled_from(PayloadType),
)
def test_what_is_encoded_is_decoded(payload, sequence, kind, of):
    given = message(sequence, payload, type=kind, payload_type=of)
    assert decode(encode(given), NOW) == given


@given(st.binary(max_size=200))
def test_noise_is_no_message(noise):
    with pytest.raises(Malformed):
        decode(noise, NOW)


def test_a_changed_payload_is_noticed():
    with pytest.raises(Malformed, match="digest"):
        decode(encode(message())[:-1] + b"!", NOW)


@given(st.permutations(range(8)), st.lists(st.integers(0, 7), max_size=8))
def test_whatever_the_order_all_comes_once_and_in_order(order, again):
    stream, got = Incoming(), []
    for sequence in (*order, *again):
        stream, ready, acknowledged = stream.came(message(sequence))
        got += [each.sequence for each in ready]
        assert acknowledged
    assert got == list(range(8))
    assert stream == Incoming(8)


def test_what_comes_too_early_is_not_taken():
    stream = Incoming()
    for sequence in range(1, streams.AHEAD + 1):
        stream, _, _ = stream.came(message(sequence))
    full, ready, acknowledged = stream.came(message(streams.AHEAD + 1))
    assert (full, ready, acknowledged) == (stream, (), False)


def test_what_is_not_acknowledged_is_sent_again_until_it_is():
    stream, first = Outgoing().sent(message(), NOW)
    stream, second = stream.sent(message(), NOW)
    assert (first.sequence, second.sequence) == (0, 1)
    assert stream.due(NOW)[1] == ()
    later = NOW + streams.RESEND_AFTER
    stream, again = stream.acknowledged(0).due(later)
    assert again == (second,)
    assert stream.due(later + timedelta(milliseconds=1))[1] == ()
    assert stream.acknowledged(1) == Outgoing(2)


def test_nobody_is_there_when_too_much_was_sent_again():
    stream, _ = Outgoing().sent(message(), NOW)
    for turn in range(1, streams.RESENDS + 1):
        assert not stream.is_lost
        stream, _ = stream.due(NOW + turn * streams.RESEND_AFTER)
    assert stream.is_lost


def test_there_is_a_limit_to_what_is_on_its_way():
    stream = Outgoing()
    for _ in range(streams.WINDOW):
        assert not stream.is_full
        stream, _ = stream.sent(message(), NOW)
    assert stream.is_full
    assert not stream.acknowledged(0).is_full
