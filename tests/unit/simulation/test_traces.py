"""Traffic, from shapes and from files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.simulation import traces
from openecs.simulation.traces import SHAPES, BadTrace, Trace

TRACE = Trace(((0.0, 10.0), (10.0, 20.0), (20.0, 0.0)))


@pytest.mark.parametrize(
    ("seconds", "rate"), [(-5, 10), (0, 10), (5, 15), (10, 20), (15, 10), (20, 0), (99, 0)]
)
def test_rates_change_evenly_between_points(seconds, rate):
    assert TRACE.at(seconds) == rate


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_stay_between_their_least_and_their_most(name):
    made = SHAPES[name].made(5.0, 50.0)
    rates = [made.at(second) for second in range(0, int(made.seconds), 30)]
    assert min(rates) >= 2.5
    assert max(rates) == pytest.approx(50.0, rel=0.05)
    assert made.at(0) == 5.0


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_a_trace_is_never_beyond_its_points(rates):
    trace = Trace(tuple((float(n), rate) for n, rate in enumerate(rates)))
    for tenth in range(10 * len(rates)):
        assert min(rates) <= trace.at(tenth / 10) <= max(rates) * (1 + 1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "time,requests_per_second\n60,10\n120,20\n",
        "# last week\n2026-01-05T00:01:00,10\n2026-01-05T00:02:00,20\n",
        "100,10\n\n160,20\n",
    ],
)
def test_a_file_begins_where_it_begins(tmp_path, text):
    path = tmp_path / "trace.csv"
    path.write_text(text)
    assert traces.read(path).points == ((0.0, 10.0), (60.0, 20.0))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least two lines"),
        ("0,1\n", "at least two lines"),
        ("0,1\n1\n", "line 2"),
        ("0,1\n1,many\n", "line 2"),
        ("0,1\n1,-1\n", "line 2"),
        ("0,1\n1,inf\n", "line 2"),
        ("1,1\n1,2\n", "times must grow"),
    ],
)
def test_what_is_no_trace_is_told(tmp_path, text, why):
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(BadTrace, match=why):
        traces.read(path)
