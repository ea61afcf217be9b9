"""What is wrong with a query."""

from __future__ import annotations

from typing import Any

#: A tree of lark's: its children are trees and tokens, as the grammar says.
Node = Any


class QueryProblem(Exception):
    """A query that cannot be meant, and from where to where it cannot."""

    def __init__(self, message: str, start: int = 0, end: int | None = None) -> None:
        super().__init__(message)
        self.start = start
        self.end = start + 1 if end is None else end
