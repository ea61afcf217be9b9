"""Where HTTP has the members of a REST request and reply: path, query string, headers, body.

The body itself is left to the notation. https://smithy.io/2.0/spec/http-bindings.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from openecs.gateway.exchange import Request
from openecs.gateway.protocol import scalars
from openecs.gateway.protocol.shape import Shape

_HEADER_ITEM = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)')


class RequestMembers:
    """Reads the members of one operation's input that are not in the body."""

    def __init__(self, shape: Shape) -> None:
        self._members = [
            (name, _request_reader(member, name))
            for name, member in shape.members.items()
            if "location" in member.serialization
        ]

    def parse(self, request: Request, labels: Mapping[str, str]) -> dict[str, Any]:
        """The members given; ``labels`` are the decoded variables of the path."""
        found = ((name, read(request, labels)) for name, read in self._members)
        return {name: value for name, value in found if value is not None}


class ReplyMembers:
    """Writes the members of one operation's output that are not in the body."""

    def __init__(self, shape: Shape) -> None:
        self._headers = {
            name: (member, str(member.serialization.get("name", name)).lower())
            for name, member in shape.members.items()
            if member.serialization.get("location") in {"header", "headers"}
        }
        self._status = next(
            (
                name
                for name, member in shape.members.items()
                if member.serialization.get("location") == "statusCode"
            ),
            None,
        )
        self.in_head = {*self._headers, self._status}

    def headers(self, members: Mapping[str, Any]) -> dict[str, str]:
        """The headers that carry members, by their names in lower case."""
        written: dict[str, str] = {}
        for name, (member, header) in self._headers.items():
            value = members.get(name)
            if value is None:
                continue
            if member.serialization["location"] == "headers":
                written |= {f"{header}{key.lower()}": item for key, item in value.items()}
            else:
                written[header] = _header_text(member, value)
        return written

    def status(self, members: Mapping[str, Any], default: int) -> int:
        """The status of the reply, where a member has it."""
        status = members.get(self._status) if self._status else None
        return default if status is None else int(status)


#: The readers and writers of an operation, made once; shapes are known by their identity.
request_members = lru_cache(maxsize=1024)(RequestMembers)
reply_members = lru_cache(maxsize=1024)(ReplyMembers)

_Read = Callable[[Request, Mapping[str, str]], Any]


def _request_reader(member: Shape, name: str) -> _Read:
    wire_name = str(member.serialization.get("name", name))
    match member.serialization["location"]:
        case "uri":
            return _label(member, wire_name)
        case "querystring":
            return _query(member, wire_name)
        case "headers":
            return _prefixed(wire_name.lower())
        case _:
            return _header(member, wire_name.lower())


def _label(member: Shape, name: str) -> _Read:
    read = scalars.text_reader(member, "iso8601")
    return lambda _, labels: read(labels[name])


def _query(member: Shape, name: str) -> _Read:
    if member.type_name == "list":
        item = scalars.text_reader(member.member, "iso8601")
        return lambda request, _: [item(text) for text in _values(request, name)] or None
    read = scalars.text_reader(member, "iso8601")

    def value(request: Request, _: Mapping[str, str]) -> Any:
        for text in _values(request, name):
            return read(text)
        return None

    return value


def _values(request: Request, name: str) -> Iterable[str]:
    return (text for key, text in request.arguments if key == name)


def _prefixed(prefix: str) -> _Read:
    def headers(request: Request, _: Mapping[str, str]) -> dict[str, str] | None:
        return {
            name.removeprefix(prefix): text
            for name, text in request.headers.items()
            if name.startswith(prefix)
        } or None

    return headers


def _header(member: Shape, name: str) -> _Read:
    read = _header_reader(member)

    def value(request: Request, _: Mapping[str, str]) -> Any:
        text = request.headers.get(name)
        return None if text is None else read(text)

    return value


def _header_reader(member: Shape) -> Callable[[str], Any]:
    if member.type_name == "list":
        item = scalars.text_reader(member.member, "rfc822")
        return lambda text: [item(part) for part in _header_items(text)]
    return scalars.text_reader(member, "rfc822")


def _header_items(text: str) -> Iterable[str]:
    end = 0
    while end < len(text):
        found = _HEADER_ITEM.match(text, end)
        if found is None or found.end() == end:
            return
        end = found.end()
        item = found[1]
        quoted = item.startswith('"') and len(item) > 1
        yield re.sub(r"\\(.)", r"\1", item[1:-1]) if quoted else item


def _header_text(member: Shape, value: Any) -> str:
    if member.type_name == "list":
        write = scalars.text_writer(member.member, "rfc822")
        return ",".join(write(item) for item in value)
    return scalars.text_writer(member, "rfc822")(value)
