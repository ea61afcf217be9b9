"""Filter patterns, by the examples of CloudWatch Logs' user guide."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.decide import filter_patterns
from openecs.decide.filter_patterns import Pattern, PatternProblem

EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "cluster.name": "c",
        "errors": {"count": 5, "isFatal": True, "rate": 1.5e-3, "text": "12"},
    }
)
LINE = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


def is_match(pattern, message):
    found = filter_patterns.read(pattern)
    assert isinstance(found, Pattern), found
    return found.is_match(message)


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("  ", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "[error 400]", False),
        ("ERROR ARGUMENTS", "ERROR MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "ERROR 401", False),
        ('"INTERNAL SERVER ERROR"', "[ERROR 500] INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR SERVER", False),
        ("?ERROR ?ARGUMENTS", "MISSING ARGUMENTS", True),
        ("?ERROR ?ARGUMENTS", "BAD REQUEST", False),
        ("?ERROR REQUEST", "BAD REQUEST", True),
        ("ERROR -ARGUMENTS", "ERROR BAD REQUEST", True),
        ("ERROR -ARGUMENTS", "ERROR MISSING ARGUMENTS", False),
        ("-ERROR", "fine", True),
        ("%AUTHORIZED%", "UNAUTHORIZED 401", True),
        ("%^5\\d\\d$%", "503", True),
        ("ERROR %[45]\\d\\d%", "ERROR 200", False),
        ('"a\\"b"', 'x a"b x', True),
    ],
)
def test_terms(pattern, message, expected):
    assert is_match(pattern, message) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('$.eventType = "UpdateTrail"', True),
        ("$.eventType = UpdateTrail", True),
        ('$.eventType != "x"', True),
        ("$.eventType = Update*", True),
        ('$.eventType = "*Trail"', True),
        ("$.sourceIPAddress = 111.111.*", True),
        ("$.sourceIPAddress != 123.123.*", True),
        ("$.sourceIPAddress = %111\\.1%", True),
        ('$.arrayKey[0] = "value"', True),
        ('$.arrayKey[1] = "value"', False),
        ('$.arrayKey[*] = "another value"', True),
        ("$.objectList[1].id = 2", True),
        ("$.objectList[*].id > 1", True),
        ("$.objectList[7].id = 2", False),
        ("$.SomeObject IS NULL", True),
        ("$.eventType IS NULL", False),
        ("$.SomeOtherObject NOT EXISTS", True),
        ("$.SomeObject NOT EXISTS", False),
        ("$.errors.isFatal IS TRUE", True),
        ("$.errors.isFatal IS FALSE", False),
        ("$.errors.count >= 5 && $.errors.count < 6", True),
        ("$.errors.count = 5.0", True),
        ("$.errors.rate = 1.5e-3", True),
        ("$.errors.text > 11", True),
        ("$.none != 1", False),
        ("$.none < 1", False),
        ("$.['cluster.name'] = c", False),
        ("$['cluster.name'] = c", True),
        ("($.errors.count = 1 || $.eventType = U*) && $.errors.* = 5", True),
        ("$.errors.count = 1 || ($.eventType = x && $.a = 1)", False),
    ],
)
def test_json(condition, expected):
    if condition.startswith("$.["):
        assert isinstance(filter_patterns.read(f"{{ {condition} }}"), PatternProblem)
        return
    assert is_match(f"{{ {condition} }}", EVENT) is expected
    assert not is_match(f"{{ {condition} }}", "no JSON")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, server, username, timestamp, request, status_code, bytes]", True),
        ("[ip, server, username]", False),
        ("[ip, server, username, ..., bytes > 1000]", True),
        ("[..., status_code, bytes]", True),
        ("[..., status_code=4*, bytes]", True),
        ("[..., status_code=5*, bytes]", False),
        ("[ip, ..., request=*html*, status_code = 404 || status_code = 410, bytes]", True),
        ('[ip, ..., request="GET *", status_code != 404, bytes]', False),
        ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", True),
        ("[ip, user, ..., size < 1534]", False),
    ],
)
def test_fields(pattern, expected):
    assert is_match(pattern, LINE) is expected


def test_what_is_taken_out():
    found = filter_patterns.read("[..., status_code=4*, bytes]")
    assert found.take(LINE) == {"$status_code": "404", "$bytes": "1534"}
    found = filter_patterns.read("{ $.errors.count > 1 && $.arrayKey[*] = value }")
    assert found.take(EVENT) == {"$.errors.count": "5", "$.arrayKey[*]": "value"}


@pytest.mark.parametrize(
    "pattern",
    ["{", "{ $.a }", "{ $.a = }", "{ a = 1 }", "[", "[a, ..., b, ...]", "[a =]", '"', "%(%", "[]"],
)
def test_no_patterns(pattern):
    assert isinstance(filter_patterns.read(pattern), PatternProblem)


def test_depth_has_an_end():
    deep = "(" * 60 + "$.a = 1" + ")" * 60
    assert isinstance(filter_patterns.read(f"{{ {deep} }}"), PatternProblem)
    found = filter_patterns.read("{ $.a = 1 }")
    assert not found.is_match("[" * 100_000)


PIECES = st.sampled_from(
    [
        *("{", "}", "[", "]", "(", ")", "$.a", "$", "=", "!=", "<", "&&", "||", "IS", "NOT"),
        *("EXISTS", "NULL", "...", ",", '"', "%", "*", "a", "?", "-", "1e9", "[*]", "\\", " "),
        *("%a*%", "\ud800"),
    ]
)


@settings(max_examples=150)
@given(st.lists(PIECES, max_size=12).map(" ".join), st.sampled_from([EVENT, LINE, "", "\ud800"]))
def test_never_a_crash(pattern, message):
    found = filter_patterns.read(pattern)
    if isinstance(found, Pattern):
        found.take(message)
