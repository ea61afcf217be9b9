"""What containers print becomes events, each once, wherever reading is broken off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.decide import log_options
from openecs.decide.log_lines import LineReader, Mark, mark_of
from openecs.model.logs import Piece

SECOND = 1_000_000_000


def piece(at, text, output=1, *, ends=True):
    return Piece(at, output, text.encode(), ends)


def messages(events):
    return [event.message for event in events]


def test_a_line_is_an_event_with_its_time_and_empty_ones_are_left_out():
    events = LineReader(Mark()).read([piece(1_999_999, "a"), piece(2, ""), piece(3, "b\0c")])
    assert [(e.timestamp, e.message) for e in events] == [(1, "a"), (0, "b\ufffdc")]


def test_pieces_of_a_line_are_put_together_per_output():
    reader = LineReader(Mark())
    assert reader.read([piece(1, "a", ends=False), piece(1, "x", 2)]) == []
    assert messages(reader.read([piece(2, "b")])) == ["ab", "x"]
    assert reader.read([piece(3, "left", ends=False)]) == []
    assert messages(reader.end()) == ["left"]


def test_a_long_line_is_cut():
    parts = [piece(1, "x" * 16_384, ends=False) for _ in range(17)]
    reader = LineReader(Mark())
    sizes = [len(text) for text in messages(reader.read(parts) + reader.end())]
    assert max(sizes) == 262_144 - 26
    assert sum(sizes) == 17 * 16_384


def test_events_of_several_lines_begin_where_the_pattern_is():
    begins = log_options.begins_of({"awslogs-multiline-pattern": "^ERR"})
    reader = LineReader(Mark(), begins)
    lines = [piece(n, text) for n, text in enumerate(("x", "ERR a", " at", "ERR b"))]
    assert messages(reader.read(lines)) == ["x", "ERR a\n at"]
    assert reader.is_waiting
    assert messages(reader.flush()) == ["ERR b"]
    assert not reader.is_waiting


@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from(["a", "b", "ERR", ""])),
        max_size=30,
    ),
    breaks=st.lists(st.integers(0, 30), max_size=3),
    joined=st.booleans(),
)
def test_nothing_is_lost_or_doubled_where_reading_is_broken_off(pieces, breaks, joined):
    times, at = [], SECOND
    for step, _, _ in pieces:
        at += (0, 1, SECOND // 20, SECOND)[step]
        times.append(at)
    kept = [
        piece(time, f"{text}{number}", ends=ends)
        for number, (time, (_, ends, text)) in enumerate(zip(times, pieces, strict=True))
    ]
    options = {"awslogs-multiline-pattern": "ERR"} if joined else {}
    begins = log_options.begins_of(options)
    whole = LineReader(Mark(), begins)
    expected = messages(whole.read(kept) + whole.end())
    told, mark = [], Mark()
    for stop in (*sorted(breaks), len(kept)):
        reader = LineReader(mark, begins)
        there = [each for each in kept[:stop] if each.at >= mark.since]
        told += messages(reader.read(there))
        mark = mark_of(str(reader.mark()))
    told += messages(reader.end())
    assert told == expected


@pytest.mark.parametrize(
    ("format_", "line"),
    [
        ("[%b %d, %Y %H:%M:%S]", b"[Nov 23, 2026 21:50:00] x"),
        ("%Y-%m-%dT%H:%M:%S%L%z", b"2026-11-23T21:50:00.123+0100 x"),
        ("%A %p 100%%", b"Monday PM 100%"),
    ],
)
def test_formats_of_times(format_, line):
    begins = log_options.begins_of({"awslogs-datetime-format": format_})
    assert begins(line)
    assert not begins(b"  at x")


@pytest.mark.parametrize(
    "options",
    [
        {"awslogs-datetime-format": "%Q"},
        {"awslogs-multiline-pattern": "("},
        {"awslogs-multiline-pattern": "a", "awslogs-datetime-format": "%Y"},
    ],
)
def test_options_that_cannot_be_meant(options):
    with pytest.raises(log_options.BadOption):
        log_options.begins_of(options)


def test_whether_groups_are_made():
    assert log_options.creates_group({"awslogs-create-group": "true"})
    assert not log_options.creates_group({})
    with pytest.raises(log_options.BadOption):
        log_options.creates_group({"awslogs-create-group": "yes"})
