"""What this package asks of a botocore shape, which has no types of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Shape(Protocol):
    """A shape of a model, as its member, item or root refers to it.

    ``serialization`` has what the model says of the wire ("name" for ``locationName``),
    ``metadata`` what it says of the values. Only lists have ``member``, only maps ``key`` and
    ``value``, only structures ``members`` and what is about those.
    """

    name: str
    type_name: str
    serialization: Mapping[str, Any]
    metadata: Mapping[str, Any]
    member: Shape
    key: Shape
    value: Shape
    members: Mapping[str, Shape]
    required_members: Sequence[str]
    is_document_type: bool

    def __hash__(self) -> int: ...


class Operation(Protocol):
    """An operation of a model."""

    name: str
    http: Mapping[str, Any]
    input_shape: Shape | None
    output_shape: Shape | None
    deprecated: bool
