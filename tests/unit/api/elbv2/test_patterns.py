from __future__ import annotations

import pytest

from openecs.api.base import ServiceError
from openecs.api.elbv2 import patterns


@pytest.mark.parametrize(
    "pattern",
    [
        r"^/api/(v[0-9]+)/.*$",
        r"^(.+)\.example\.com$",
        r"(?i)(?:a|b){2,3}?",
        r"[]^a-z\w-]+\b/\d*",
        r"[^/]{1000}",
    ],
)
def test_what_re2_understands(pattern) -> None:
    patterns.check(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "(",
        "(?=a)",
        "(?<!a)b",
        r"(a)\1",
        "a++",
        "(?P<x>a)",
        "(?>a)",
        "(?#x)a",
        "a{1001}",
        "(a{100}){100}",
        "[[:alpha:]]",
        "a**",
        r"a\Z",
        "a\n",
    ],
)
def test_what_it_does_not(pattern) -> None:
    with pytest.raises(ServiceError, match="is not a valid regular expression"):
        patterns.check(pattern)
