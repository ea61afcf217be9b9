from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.api.base import ServiceError
from openecs.api.ecs.paging import open_page
from openecs.model.identity import Scope
from openecs.testing.builders import a_call

CALL = a_call()
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]


def fetch(after: str, limit: int) -> list[str]:
    return [letter for letter in LETTERS if letter > after][:limit]


def walk(size: int, keep=None) -> list[list[str]]:
    pages, request = [], {"maxResults": size}
    while True:
        page, token = open_page(CALL, "List", request).take(fetch, str, keep)
        pages.append(page)
        if token is None:
            return pages
        request = {"maxResults": size, "nextToken": token}


@given(st.integers(1, 100), st.sets(st.sampled_from(LETTERS)))
def test_pages_together_are_the_listing(size: int, kept: set[str]) -> None:
    pages = walk(size, kept.__contains__)
    assert [letter for page in pages for letter in page] == sorted(kept)
    assert all(len(page) == size for page in pages[:-1])
    assert len(pages) == 1 or pages[-1]


def test_the_default_size() -> None:
    page, token = open_page(CALL, "List", {}, default=10).take(fetch, str)
    assert (len(page), token is None) == (10, False)


@pytest.mark.parametrize("size", [0, -1, 101])
def test_a_size_out_of_range(size: int) -> None:
    with pytest.raises(ServiceError) as caught:
        open_page(CALL, "List", {"maxResults": size})
    assert caught.value.code == "InvalidParameterException"


def token_of(request: dict[str, object]) -> str:
    _, token = open_page(CALL, "List", request).take(fetch, str)
    assert token is not None
    return token


@pytest.mark.parametrize(
    ("call", "operation", "request_"),
    [
        (CALL, "List", {"family": "other"}),
        (CALL, "Other", {"family": "web"}),
        (a_call(scope=Scope("1", "us-east-1")), "List", {"family": "web"}),
    ],
)
def test_a_token_of_another_call(call, operation, request_) -> None:
    token = token_of({"family": "web", "maxResults": 3})
    with pytest.raises(ServiceError) as caught:
        open_page(call, operation, {**request_, "nextToken": token})
    assert (caught.value.code, caught.value.message) == (
        "InvalidParameterException",
        "Invalid token.",
    )


def test_the_page_size_may_change_on_the_way() -> None:
    token = token_of({"family": "web", "maxResults": 3})
    page = open_page(CALL, "List", {"family": "web", "nextToken": token, "maxResults": 2})
    assert page.take(fetch, str)[0] == ["d", "e"]


@given(st.text() | st.binary().map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_garbage_is_no_token(garbage: str) -> None:
    if garbage:
        with pytest.raises(ServiceError, match=r"Invalid token\."):
            open_page(CALL, "List", {"nextToken": garbage})


@pytest.mark.parametrize("content", [[], ["x"], {"a": 1}, "x", [1, 2], ["x", ""]])
def test_json_of_another_form_is_no_token(content: object) -> None:
    token = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    with pytest.raises(ServiceError, match=r"Invalid token\."):
        open_page(CALL, "List", {"nextToken": token})
