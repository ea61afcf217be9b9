"""Expressions against the plainest evaluation there is, and texts against the parser."""

from __future__ import annotations

import contextlib
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.decide.metric_math import evaluation, grammar, search
from openecs.decide.metric_math.series import Effort, Series
from openecs.decide.metric_math.syntax import MathProblem
from openecs.model.alarms import MetricDataQuery, MetricStat

STAT = MetricStat(namespace="A", name="b", period=60, stat="Sum")
MOMENTS = [at * 60 for at in range(6)]
NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 3)) | st.sampled_from(
    [0.0, 1.0, -1.0]
)
VALUES = st.none() | NUMBERS
COLUMNS = st.lists(VALUES, min_size=6, max_size=6)

ALPHABET = [
    *("m1", "m2", "e", "METRICS()", "METRICS('m')", "AVG", "DESC", "LINEAR", "REPEAT", "'a'"),
    *("0", "1.5", "1e999", "-", "+", "*", "/", "^", "(", ")", "[", "]", ",", "<", "==", "AND"),
    *("||", "IF(", "SUM(", "FILL(", "SORT(", "SLICE(", "DIFF(", "LOG(", "TIME_SERIES(", "HOUR("),
    *("SEARCH('{A} b', 'Sum', 60)", "PERIOD(", "STDDEV(", "FIRST(", "REMOVE_EMPTY(", "é", "\x00"),
]


def known(**columns) -> evaluation.Known:
    metrics = {
        name: Series(
            60, {at: v for at, v in zip(MOMENTS, c, strict=True) if v is not None}, name, STAT
        )
        for name, c in columns.items()
    }
    return evaluation.Known(metrics=metrics, start=0, end=360)


def evaluated(expression: str, world: evaluation.Known):
    queries = [
        *(MetricDataQuery(id=name, stat=STAT) for name in world.metrics),
        MetricDataQuery(id="e", expression=expression),
    ]
    return evaluation.evaluated(queries, world, Effort(100_000))["e"].series


ARITHMETIC = st.recursive(
    st.sampled_from(["m1", "m2", "3"]),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "<", ">=", "=="]), inner).map(
        lambda three: f"({' '.join(three)})"
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(ARITHMETIC, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=6, max_size=6))
def test_operators_are_those_of_numbers_moment_by_moment(text, pairs):
    one, two = zip(*pairs, strict=True)
    found = evaluated(f"{text} + 0 * m1", known(m1=one, m2=two)).values
    for at, (first, second) in zip(MOMENTS, pairs, strict=True):
        wanted = eval(text, {"m1": first, "m2": second})
        assert math.isclose(found[at], wanted, rel_tol=1e-9, abs_tol=1e-6)


@settings(max_examples=60)
@given(COLUMNS, COLUMNS)
def test_what_only_one_has_counts_as_nothing_in_the_other(one, two):
    found = evaluated("m1 + m2", known(m1=one, m2=two)).values
    for at, first, second in zip(MOMENTS, one, two, strict=True):
        missing = first is None and second is None
        assert found.get(at) == (None if missing else (first or 0.0) + (second or 0.0))


@settings(max_examples=60)
@given(COLUMNS, COLUMNS)
def test_a_quotient_is_where_its_divisor_is(one, two):
    found = evaluated("m1 / m2", known(m1=one, m2=two)).values
    assert set(found) == {at for at, value in zip(MOMENTS, two, strict=True) if value}
    for at, first, second in zip(MOMENTS, one, two, strict=True):
        if second:
            assert found[at] == (first or 0.0) / second


@settings(max_examples=60)
@given(COLUMNS, COLUMNS)
def test_functions_of_arrays_are_those_of_each_moment(one, two):
    world = known(m1=one, m2=two)
    answers = {
        "SUM": sum,
        "MAX": max,
        "MIN": min,
        "AVG": lambda values: sum(values) / 2,
        "DATAPOINT_COUNT": len,
    }
    for function, plain in answers.items():
        found = evaluated(f"{function}(METRICS())", world).values
        for at, pair in zip(MOMENTS, zip(one, two, strict=True), strict=True):
            there = [value for value in pair if value is not None]
            assert found.get(at) == (plain(there) if there else None)


@settings(max_examples=60)
@given(COLUMNS, COLUMNS, COLUMNS)
def test_a_condition_chooses_moment_by_moment(condition, one, two):
    world = known(m1=condition, m2=one, m3=two)
    found = evaluated("IF(m1 > 0 AND m1 != 1, m2, m3)", world).values
    for at, truth, first, second in zip(MOMENTS, condition, one, two, strict=True):
        if truth is None:
            assert at not in found
        elif truth > 0 and truth != 1:
            assert found[at] == (first or 0.0)
        else:
            assert found.get(at) == second


@settings(max_examples=60)
@given(st.lists(COLUMNS, min_size=1, max_size=5), st.sampled_from(["MAX", "MIN", "SUM"]))
def test_sorting_loses_nothing_and_puts_what_is_empty_last(columns, by):
    world = known(**{f"m{n}": column for n, column in enumerate(columns)})
    ordered = evaluated(f"SORT(METRICS(), {by}, DESC)", world)
    assert sorted(each.label for each in ordered) == sorted(world.metrics)
    plain = {"MAX": max, "MIN": min, "SUM": sum}[by]
    told = [plain(each.values.values()) if each.values else None for each in ordered]
    full = [each for each in told if each is not None]
    assert told[: len(full)] == sorted(full, reverse=True)
    assert evaluated(f"SORT(METRICS(), {by}, DESC, 1)", world) == ordered[:1]


@settings(max_examples=60)
@given(COLUMNS)
def test_what_is_filled_has_no_holes_and_keeps_what_there_was(column):
    world = known(m1=column)
    there = world.metrics["m1"].values
    for by in ("7", "REPEAT", "LINEAR"):
        found = evaluated(f"FILL(m1, {by})", world).values
        assert {at: found[at] for at in there} == there
        assert list(found) == sorted(found)
        begin = min(there, default=360) if by != "7" else 0
        end = max(there, default=-1) if by == "LINEAR" else 300
        assert list(found) == [at for at in MOMENTS if begin <= at <= end]


@settings(max_examples=60)
@given(COLUMNS)
def test_differences_add_up_again(column):
    world = known(m1=column)
    there = list(world.metrics["m1"].values.values())
    differences = list(evaluated("RUNNING_SUM(DIFF(m1))", world).values.values())
    assert len(differences) == max(len(there) - 1, 0)
    for before, value in zip(differences, there[1:], strict=True):
        assert math.isclose(there[0] + before, value, rel_tol=1e-9, abs_tol=1e-6)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(ALPHABET), max_size=20).map(" ".join))
def test_no_sentence_of_words_breaks_it(text):
    with contextlib.suppress(MathProblem):
        found = evaluated(text, known(m1=[1.0] * 6, m2=[0.0, None, 2.0, None, -3.0, 1e300]))
        for series in found if isinstance(found, tuple) else (found,):
            assert all(math.isfinite(value) for value in series.values.values())
            assert list(series.values) == sorted(series.values)


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_no_text_breaks_the_parsers(text):
    with contextlib.suppress(MathProblem):
        grammar.read(text)
    with contextlib.suppress(MathProblem):
        search.wanted(search.Search(text, "Sum", 60))


def test_the_deepest_and_longest_texts_that_are_read_can_be_evaluated():
    level = "1||1&&1<1+1*-2^("
    deep = level * 30 + "m1" + ")" * 30
    assert evaluated(deep, known(m1=[1.0] * 6)).values
    for text in ("-" * 2000 + "m1", "m1" + "^1" * 1000, "m1" + "+1" * 1000):
        assert evaluated(text, known(m1=[1.0] * 6)).values
    search.wanted(search.Search("(a OR b AND NOT " * 30 + "c" + ")" * 30, "Sum", 60))
