"""Requests as events of Lambda functions, and what functions say as answers.

User Guide for Application Load Balancers, "Use Lambda functions as targets".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Pair = tuple[str, str]

#: Of a request and of an answer, in bytes.
MOST = 1024 * 1024

#: The types of bodies that are texts, where they are not compressed.
_TEXTS = ("text/", "application/json", "application/javascript", "application/xml")
#: What is between two ends of a connection alone.
_HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te"}
_LOWEST, _HIGHEST = 200, 599


class MalformedAnswer(Exception):
    """A function has said something that is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. ``query`` is as it was sent."""

    method: str
    path: str
    query: str
    headers: tuple[Pair, ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer."""

    status: int
    headers: tuple[Pair, ...]
    body: bytes


def event(asked: Asked, group_arn: str, *, several: bool) -> dict[str, Any]:
    """The event of a request; ``several``: all values of a header are told, not the last one."""
    headers = [(name.lower(), value) for name, value in asked.headers]
    kept = [(name, value) for name, value in headers if name not in _HOP]
    named = dict(headers)
    body, is_encoded = _written(asked.body, named)
    told: dict[str, Any]
    pairs = [_pair(part) for part in asked.query.split("&") if part]
    if several:
        told = {"multiValueQueryStringParameters": _all(pairs), "multiValueHeaders": _all(kept)}
    else:
        told = {"queryStringParameters": dict(pairs), "headers": dict(kept)}
    return {
        "requestContext": {"elb": {"targetGroupArn": group_arn}},
        "httpMethod": asked.method,
        "path": asked.path,
        **told,
        "body": body,
        "isBase64Encoded": is_encoded,
    }


def answer(said: object, *, several: bool) -> Answered:
    """What a function has said. Raises ``MalformedAnswer``."""
    if not isinstance(said, Mapping):
        raise MalformedAnswer("an answer is an object")
    status, body = said.get("statusCode"), said.get("body")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or not _LOWEST <= status <= _HIGHEST:
        raise MalformedAnswer("an answer has a status code")
    if not isinstance(body, str | None):
        raise MalformedAnswer("a body is a text")
    found = _read(body or "", is_encoded=said.get("isBase64Encoded") is True)
    if len(found) > MOST:
        raise MalformedAnswer("a body is too long")
    return Answered(status=status, headers=tuple(_headers(said, several=several)), body=found)


def _all(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _pair(part: str) -> Pair:
    name, _, value = part.partition("=")
    return name, value


def _written(body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    is_text = headers.get("content-type", "").lower().startswith(_TEXTS) or not body
    if is_text and "content-encoding" not in headers:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _read(body: str, *, is_encoded: bool) -> bytes:
    try:
        return base64.b64decode(body, validate=True) if is_encoded else body.encode()
    except ValueError as error:
        raise MalformedAnswer("a body is not what it is said to be") from error


def _headers(said: Mapping[str, Any], *, several: bool) -> Iterable[Pair]:
    given = said.get("multiValueHeaders" if several else "headers")
    if given is None:
        return
    if not isinstance(given, Mapping):
        raise MalformedAnswer("headers are an object")
    for name, value in given.items():
        values = value if several else [value]
        if not isinstance(values, list):
            raise MalformedAnswer("values of a header are a list")
        for each in values:
            if not isinstance(each, str | int | float) or not _is_header(name, str(each)):
                raise MalformedAnswer("a header is a text")
            if name.lower() not in _HOP | {"content-length"}:
                yield name, _plain(each)


def _plain(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_header(name: str, value: str) -> bool:
    is_name = name.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)
    return bool(name) and is_name and not any(c in "\r\n\0" for c in value)
