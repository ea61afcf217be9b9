"""The meanings of the settings, as their docstrings have them: help and reference say the same."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields
from functools import cache

from openecs.config import Settings


@cache
def meanings() -> dict[str, str]:
    """Each setting's docstring, on one line."""
    (described,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(described, ast.ClassDef)  # noqa: S101 - Settings is a class
    found: dict[str, str] = {}
    for statement, after in zip(described.body, described.body[1:], strict=False):
        match statement, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


@cache
def defaults() -> dict[str, str]:
    """Each setting's default as one would give it; empty where its meaning says what holds then."""
    return {entry.name: _written(entry.default) for entry in fields(Settings)}


def _written(default: object) -> str:
    match default:
        case bool():
            return str(default).lower()
        case str() | int():
            return str(default)
        case _:
            return ""
