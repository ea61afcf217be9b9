"""Amazon EC2's filters: what is escaped means itself, and a star means anything."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from openecs.api.ec2 import filters

TEXTS = st.text(max_size=20)


def kept(value, *patterns):
    shown = [{"Name": value}]
    return bool(filters.keep(shown, [{"Name": "name", "Values": patterns}], {"name": "Name"}))


@given(TEXTS, TEXTS)
def test_an_escaped_value_is_found_and_no_other(value, other):
    escaped = re.sub(r"([*?\\])", r"\\\1", value)
    assert kept(value, escaped)
    assert kept(other, escaped) == (other == value)


@given(TEXTS, TEXTS, TEXTS)
def test_a_star_is_anything(before, middle, behind):
    before, behind = (re.sub(r"[*?\\]", "", one) for one in (before, behind))
    assert kept(before + middle + behind, f"{before}*{behind}")


@given(TEXTS)
def test_a_question_mark_is_one_character(value):
    assert kept(value, "?") == (len(value) == 1)


@given(TEXTS)
def test_no_values_hold_for_nothing(value):
    assert not kept(value)
