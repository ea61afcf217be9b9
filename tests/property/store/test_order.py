"""Keys in order, and the end of those with a prefix."""

from hypothesis import example, given
from hypothesis import strategies as st

from openecs.store.order import end_of_prefix

TEXT = st.text(max_size=4)


@given(TEXT, TEXT)
@example("\U0010ffff", "\U0010ffffa")
@example("a\U0010ffff", "a\U0010ffffz")
@example("\ud7ff", "\ue000")
def test_the_end_of_a_prefix_parts_those_that_start_so_from_those_after(prefix, key):
    end = end_of_prefix(prefix)
    is_between = key >= prefix and (end is None or key < end)
    assert is_between == key.startswith(prefix)


@given(TEXT)
def test_every_prefix_has_an_end_that_can_be_stored(prefix):
    end = end_of_prefix(prefix)
    assert (end is None) == (set(prefix) <= {"\U0010ffff"})
    assert end is None or end.encode()


@given(TEXT, TEXT)
def test_code_points_order_as_databases_order_their_bytes(one, other):
    assert (one < other) == (one.encode() < other.encode())
