"""What is wrong with the body of a dashboard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.decide.dashboards import Problem, problems

TEXT = {"type": "text", "properties": {"markdown": "# Shop"}}
HITS = {"type": "metric", "properties": {"metrics": [["Shop", "Hits"]], "region": "r"}}


@pytest.mark.parametrize(
    "body",
    [
        {"widgets": []},
        {"widgets": [TEXT, HITS], "start": "-PT3H", "periodOverride": "inherit"},
        {"widgets": [{"type": "metric", "properties": {"region": "r", "annotations": {
            "alarms": ["arn"]}}}]},
    ],
)  # fmt: skip
def test_dashboards(body):
    assert problems(body) == []


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({}, "", "Should have required property 'widgets'"),
        ({"widgets": {}}, "/widgets", "Should be array"),
        ({"widgets": [TEXT] * 501}, "/widgets", "Should NOT have more than 500 items"),
        ({"widgets": [1]}, "/widgets/0", "Should be object"),
        ({"widgets": [TEXT | {"width": 25}]}, "/widgets/0/width", "Should be <= 24"),
        ({"widgets": [TEXT | {"x": -1, "y": 0}]}, "/widgets/0/x", "Should be >= 0"),
        ({"widgets": [TEXT | {"x": 1}]}, "/widgets/0", "Should have required property 'y'"),
        (
            {"widgets": [TEXT | {"properties": {}}]},
            "/widgets/0/properties",
            "Should have required property 'markdown'",
        ),
        (
            {"widgets": [{"type": "metric", "properties": {"region": "r"}}]},
            "/widgets/0/properties",
            "Should have required property 'metrics'",
        ),
        (
            {"widgets": [{"type": "metric", "properties": {"region": "r", "metrics": [[]]}}]},
            "/widgets/0/properties/metrics/0",
            "Should NOT have fewer than 1 items",
        ),
        ({"widgets": [], "variables": [{}]}, "/variables/0", "Should have required property"),
        ({"widgets": [], "start": 1}, "/start", "Should be string"),
    ],
)
def test_what_is_wrong_and_where(body, path, message):
    first = problems(body)[0]
    assert first.path == path
    assert first.message.startswith(message)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "metrics", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(anything)
def test_whatever_is_given_is_judged(given_):
    found = problems({"widgets": [given_], "variables": given_, "periodOverride": given_})
    assert all(isinstance(each, Problem) for each in found)
