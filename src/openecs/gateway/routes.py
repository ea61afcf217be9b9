"""Which operation of a REST service a method and a path mean.

Templates are those of the models: ``/{Bucket}/{Key+}?tagging``. Where several fit (PutObject,
CopyObject), the one wins whose literal query arguments, and then whose required headers and query
arguments, are most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from botocore.model import ServiceModel

from openecs.gateway.exchange import Request, pairs
from openecs.gateway.protocol.shape import Operation

_VARIABLE = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An operation and the decoded variables of the path."""

    operation: Operation
    labels: Mapping[str, str]


class Routes:
    """The paths of one REST service."""

    def __init__(self, model: ServiceModel) -> None:
        operations = (model.operation_model(name) for name in model.operation_names)
        self._routes = [_route(operation) for operation in operations]

    def match(self, request: Request) -> Match | None:
        """The operation the request means, or None."""
        found: list[tuple[tuple[int, int, bool], _Route, re.Match[str]]] = []
        for route in self._routes:
            fits = route.path.fullmatch(request.path) if route.method == request.method else None
            if fits is not None and route.literals.items() <= dict(request.arguments).items():
                found.append((route.rank(request), route, fits))
        if not found:
            return None
        _, route, fits = max(found, key=lambda entry: entry[0])
        labels = (unquote(text, errors="replace") for text in fits.groups())
        return Match(
            operation=route.operation, labels=dict(zip(route.variables, labels, strict=True))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    operation: Operation
    method: str
    path: re.Pattern[str]
    variables: Sequence[str]
    literals: Mapping[str, str]
    wanted_headers: frozenset[str]
    wanted_arguments: frozenset[str]

    def rank(self, request: Request) -> tuple[int, int, bool]:
        arguments = {name for name, _ in request.arguments}
        fits = self.wanted_headers <= request.headers.keys() and self.wanted_arguments <= arguments
        wanted = len(self.wanted_headers) + len(self.wanted_arguments)
        return len(self.literals), wanted if fits else -1, not self.operation.deprecated


def _route(operation: Operation) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    return _Route(
        operation=operation,
        method=operation.http["method"],
        path=_path(path),
        variables=[name for name, _ in _VARIABLE.findall(path)],
        literals=dict(pairs(query)),
        wanted_headers=frozenset(name.lower() for name in _required(operation, "header")),
        wanted_arguments=frozenset(_required(operation, "querystring")),
    )


def _path(template: str) -> re.Pattern[str]:
    pattern, end = "", 0
    for variable in _VARIABLE.finditer(template):
        pattern += re.escape(template[end : variable.start()])
        pattern += "(.+)" if variable[2] else "([^/]+)"
        end = variable.end()
    # AWS takes a path with or without the last slash.
    return re.compile(pattern + re.escape(template[end:].rstrip("/")) + "/?")


def _required(operation: Operation, location: str) -> Iterable[str]:
    shape = operation.input_shape
    if shape is None:
        return
    for name in shape.required_members:
        member = shape.members[name]
        if member.serialization.get("location") == location:
            yield str(member.serialization.get("name", name))
