"""The table of condition operators, of the IAM User Guide."""

import pytest

from openecs.decide.access.conditions import holds
from openecs.model.policies import Condition

CASES = [
    ("StringEquals", "blue", "blue", True),
    ("StringEquals", "blue", "Blue", False),
    ("StringEquals", "bl*", "blue", False),
    ("StringNotEquals", "blue", "red", True),
    ("StringNotEquals", "blue", "blue", False),
    ("StringEqualsIgnoreCase", "BLUE", "blue", True),
    ("StringNotEqualsIgnoreCase", "BLUE", "blue", False),
    ("StringLike", "b?u*", "blue", True),
    ("StringLike", "b?u", "blue", False),
    ("StringNotLike", "b*", "blue", False),
    ("NumericEquals", "10", "10.0", True),
    ("NumericNotEquals", "10", "11", True),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "10", "11", True),
    ("NumericGreaterThanEquals", "10", "9.99", False),
    ("NumericEquals", "10", "ten", False),
    ("NumericEquals", "ten", "10", None),
    ("NumericEquals", "nan", "10", None),
    ("DateLessThan", "2026-01-02T00:00:00Z", "2026-01-01T23:59:59Z", True),
    ("DateGreaterThan", "2026-01-02T00:00:00Z", "1767312001", True),
    ("DateEquals", "2026-01-02", "2026-01-02T00:00:00Z", True),
    ("DateGreaterThan", "yesterday", "2026-01-02T00:00:00Z", None),
    ("Bool", "true", "true", True),
    ("Bool", "True", "false", False),
    ("Bool", "maybe", "true", None),
    ("BinaryEquals", "QUJD", "QUJD", True),
    ("BinaryEquals", "QUJD", "QUJE", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.9", False),
    ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
    ("IpAddress", "2001:db8::/32", "203.0.113.9", False),
    ("IpAddress", "not a network", "203.0.113.9", None),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.9", False),
    ("ArnLike", "arn:aws:ecs:*:*:cluster/*", "arn:aws:ecs:eu-west-1:1:cluster/a", True),
    ("ArnLike", "arn:aws:ecs:*:cluster/*", "arn:aws:ecs:eu-west-1:1:cluster/a", False),
    ("ArnEquals", "arn:aws:ecs:*:1:cluster/a", "arn:aws:ecs:eu-west-1:1:cluster/a", True),
    ("ArnNotLike", "arn:aws:ecs:*:1:cluster/a", "arn:aws:ecs:eu-west-1:1:cluster/b", True),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "expected"), CASES)
def test_operators(operator, wanted, given, expected):
    condition = Condition(operator, "aws:key", (wanted,))
    assert holds(condition, {"aws:key": (given,)}) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("StringEquals", False), ("StringNotEquals", True), ("NotIpAddress", True), ("Bool", False)],
)
def test_a_key_that_is_not_there_meets_negations_only(operator, expected):
    assert holds(Condition(operator, "aws:key", ("true",)), {}) is expected


def test_if_exists_asks_only_of_keys_that_are_there():
    condition = Condition("StringEquals", "aws:key", ("a",), if_exists=True)
    assert holds(condition, {})
    assert holds(condition, {"aws:key": ("b",)}) is False


def test_null_tells_whether_a_key_is_there():
    assert holds(Condition("Null", "aws:key", ("true",)), {})
    assert holds(Condition("Null", "aws:key", ("false",)), {"aws:key": ("",)})
    assert holds(Condition("Null", "aws:key", ("false",)), {}) is False


def test_any_value_will_do_and_of_negations_none_may_be():
    assert holds(Condition("StringEquals", "k", ("a", "b")), {"k": ("b",)})
    assert holds(Condition("StringNotEquals", "k", ("a", "b")), {"k": ("b",)}) is False


def test_keys_with_many_values():
    every = Condition("StringEquals", "aws:TagKeys", ("a", "b"), "ForAllValues")
    some = Condition("StringEquals", "aws:TagKeys", ("a", "b"), "ForAnyValue")
    assert holds(every, {"aws:tagkeys": ("a", "b")})
    assert holds(every, {"aws:tagkeys": ("a", "c")}) is False
    assert holds(every, {})
    assert holds(some, {"aws:tagkeys": ("c", "b")})
    assert holds(some, {"aws:tagkeys": ("c",)}) is False
    assert holds(some, {}) is False


def test_keys_are_the_same_in_any_case():
    assert holds(Condition("StringEquals", "AWS:UserName", ("ann",)), {"aws:username": ("ann",)})


def test_variables_are_replaced_and_never_become_wildcards():
    condition = Condition("StringLike", "ecs:cluster", ("team-${aws:username}-*",))
    given = {"ecs:cluster": ("team-ann-prod",), "aws:username": ("ann",)}
    assert holds(condition, given)
    assert holds(condition, {**given, "aws:username": ("*",)}) is False
    assert holds(condition, {"ecs:cluster": ("team-ann-prod",)}) is False
    assert holds(condition, given, has_variables=False) is False


def test_a_variable_may_have_a_default_and_a_wildcard_may_be_meant_as_such():
    default = Condition("StringEquals", "k", ("${aws:PrincipalTag/team, 'none'}",))
    assert holds(default, {"k": ("none",)})
    star = Condition("StringLike", "k", ("a${*}",))
    assert holds(star, {"k": ("a*",)})
    assert holds(star, {"k": ("ab",)}) is False
