"""Events of Lambda functions and what they say."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.function_events import MOST, Asked, MalformedAnswer, answer, event

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/functions/1"
ASKED = Asked(
    method="POST",
    path="/shop/%20",
    query="a=1&b=x%20y&a=2&c",
    headers=(("Host", "shop.test"), ("X-Two", "one"), ("x-two", "2"), ("Connection", "close")),
    body=b"",
)


def test_an_event_has_the_last_value_of_each_name() -> None:
    assert event(ASKED, ARN, several=False) == {
        "requestContext": {"elb": {"targetGroupArn": ARN}},
        "httpMethod": "POST",
        "path": "/shop/%20",
        "queryStringParameters": {"a": "2", "b": "x%20y", "c": ""},
        "headers": {"host": "shop.test", "x-two": "2"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_an_event_has_all_values_where_the_group_wants_them() -> None:
    made = event(ASKED, ARN, several=True)
    assert made["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["x%20y"], "c": [""]}
    assert made["multiValueHeaders"] == {"host": ["shop.test"], "x-two": ["one", "2"]}
    assert "headers" not in made
    assert "queryStringParameters" not in made


@pytest.mark.parametrize(
    ("headers", "body", "is_encoded"),
    [
        ((("Content-Type", "application/json; charset=utf-8"),), b"{}", False),
        ((("Content-Type", "text/plain"),), b"\xff", True),
        ((("Content-Type", "text/plain"), ("Content-Encoding", "gzip")), b"a", True),
        ((("Content-Type", "image/png"),), b"a", True),
        ((), b"a", True),
    ],
)
def test_bodies_that_are_no_texts_are_encoded(headers, body, is_encoded) -> None:
    made = event(replace(ASKED, headers=headers, body=body), ARN, several=False)
    assert made["isBase64Encoded"] is is_encoded
    assert (base64.b64decode(made["body"]) if is_encoded else made["body"].encode()) == body


def test_an_answer() -> None:
    said = {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "headers": {"X-A": "b", "Content-Length": "99", "x-n": 3},
        "body": "made",
    }
    found = answer(said, several=False)
    assert (found.status, found.headers, found.body) == (201, (("X-A", "b"), ("x-n", "3")), b"made")
    said = {"statusCode": "200", "multiValueHeaders": {"set-cookie": ["a", "b"]}}
    said |= {"body": base64.b64encode(b"\xff").decode(), "isBase64Encoded": True}
    found = answer(said, several=True)
    assert found.headers == (("set-cookie", "a"), ("set-cookie", "b"))
    assert found.body == b"\xff"


@pytest.mark.parametrize(
    "said",
    [
        None,
        "text",
        {},
        {"statusCode": "ok"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 200, "body": "a" * (MOST + 1)},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": None}},
    ],
)
def test_what_is_no_answer(said) -> None:
    with pytest.raises(MalformedAnswer):
        answer(said, several=False)


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
LISTS = PLAIN | st.lists(PLAIN, max_size=2)
VALUES = LISTS | st.dictionaries(st.text(max_size=3), LISTS, max_size=2)


@given(
    st.fixed_dictionaries(
        {"statusCode": st.sampled_from([200, "200", 404])},
        optional=dict.fromkeys(("headers", "multiValueHeaders", "body", "isBase64Encoded"), VALUES),
    ),
    st.booleans(),
)
def test_whatever_a_function_says_is_an_answer_or_none(said, several) -> None:
    try:
        found = answer(said, several=several)
    except MalformedAnswer:
        return
    assert all("\n" not in name + value for name, value in found.headers)
