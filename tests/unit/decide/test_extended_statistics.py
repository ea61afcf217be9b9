"""Extended statistics: what they are called, and what they tell."""

from __future__ import annotations

import pytest

from openecs.decide import statistics
from openecs.model.metrics import Statistics, of_values

TEN = of_values([(float(n), 1.0) for n in range(1, 11)])
ALIKE = of_values([(5.0, 10.0)])
FEW = of_values([(1.0, 3.0), (2.0, 1.0)])


@pytest.mark.parametrize(
    ("stat", "wanted"),
    [
        ("p0", 1.0),
        ("p50", 5.0),
        ("p90", 9.0),
        ("p91", 10.0),
        ("p100", 10.0),
        ("tm90", 5.0),
        ("tm100", 5.5),
        ("TM(10%:90%)", 5.5),
        ("TM(:90%)", 5.0),
        ("TM(90%:)", 10.0),
        ("TM(2:4)", 3.5),
        ("TM(:3)", 2.0),
        ("TM(8:)", 9.5),
        ("TM(100:200)", None),
        ("IQM", 5.5),
        ("iqm", 5.5),
        ("wm90", 5.4),
        ("WM(10%:90%)", 5.5),
        ("WM(2:4)", 3.5),
        ("WM(:4)", 3.4),
        ("tc90", 9.0),
        ("TC(2:4)", 2.0),
        ("TC(100:)", 0.0),
        ("ts90", 45.0),
        ("TS(80%:)", 19.0),
        ("TS(2:4)", 7.0),
        ("PR(:3)", 30.0),
        ("PR(3:)", 70.0),
        ("PR(2.5:7)", 50.0),
    ],
)
def test_of_ten_values(stat, wanted):
    assert statistics.value(stat, TEN) == pytest.approx(wanted)


@pytest.mark.parametrize("stat", ["tm90", "TM(10%:90%)", "IQM", "WM(5%:95%)", "p1"])
def test_of_equal_values_nothing_is_lost(stat):
    assert statistics.value(stat, ALIKE) == 5.0
    assert statistics.value(stat, Statistics(3.0, 15.0, 5.0, 5.0)) == 5.0


def test_of_few_values_as_many_are_taken_as_the_percentile_reaches():
    assert statistics.value("tc90", FEW) == 4.0
    assert statistics.value("tc75", FEW) == 3.0
    assert statistics.value("TM(70%:)", FEW) == pytest.approx(1.5)


def test_a_percentile_is_not_beyond_what_it_says():
    hundred = of_values([(float(n), 1.0) for n in range(1, 101)])
    assert [statistics.value(f"p{n}", hundred) for n in (7, 14, 28, 29, 57)] == [7, 14, 28, 29, 57]


@pytest.mark.parametrize("stat", ["p50", "tm90", "TC(0:5)", "PR(:1)", "IQM"])
def test_of_what_nobody_knows_nothing_is_told(stat):
    assert statistics.value(stat, Statistics(2.0, 3.0, 1.0, 2.0)) is None
    assert statistics.value(stat, of_values([(-1.0, 1.0), (2.0, 1.0)])) is None


@pytest.mark.parametrize(
    "stat",
    [
        *("p", "p-1", "p101", "q5", "p99.12345678901", "P90", "TM90", "tm", "tm101", "pr50", "PR"),
        *("TM()", "TM(:)", "TM(%:%)", "TM(10%:90)", "TM(10:90%)", "TM(90%:10%)", "TM(5:5)"),
        *("TM(10%)", "TM(101%:)", "PR(10%:90%)", "tm(10%:90%)", "IQM50", "Average ", "p٣"),
    ],
)
def test_what_is_no_statistic(stat):
    assert not statistics.is_known(stat)
