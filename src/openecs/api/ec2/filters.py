"""What Describe operations keep: AWS's filters, over the members of what would be shown.

Amazon EC2 User Guide, "Filter your Amazon EC2 resources": values are alternatives, filters must all
hold, ``*`` stands for any characters and ``?`` for one, a backslash takes their meaning away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from openecs.api.base import Members, ServiceError

#: Filter names to where their values lie: ``Associations.SubnetId``, through lists as well.
Paths = Mapping[str, str]


def keep(shown: Sequence[Members], filters: Sequence[Members], paths: Paths) -> list[Members]:
    """Those that all filters hold for. Raises ``InvalidParameterValue`` for an unknown filter."""
    wanted = [(_path(one["Name"], paths), _pattern(one.get("Values", ()))) for one in filters]
    return [
        one
        for one in shown
        if all(any(map(pattern.fullmatch, _values(one, path))) for path, pattern in wanted)
    ]


def _path(name: str, paths: Paths) -> str:
    if name.startswith("tag:") or name in {"tag-key", "tag-value"}:
        return name
    if name not in paths:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return paths[name]


def _pattern(values: Sequence[str]) -> re.Pattern[str]:
    alternatives = [_expression(value) for value in values] or ["(?!)"]
    return re.compile("|".join(alternatives), re.DOTALL)


def _expression(value: str) -> str:
    parts = re.findall(r"\\.|.", value, re.DOTALL)
    return "".join({"*": ".*", "?": "."}.get(part) or re.escape(part[-1]) for part in parts)


def _values(shown: Members, path: str) -> list[str]:
    tags = {tag["Key"]: tag["Value"] for tag in shown.get("Tags") or ()}
    match path.partition(":"):
        case "tag-key", _, _:
            return list(tags)
        case "tag-value", _, _:
            return list(tags.values())
        case "tag", ":", key:
            return [tags[key]] if key in tags else []
        case _:
            return [_text(one) for one in _walk(shown, path.split("."))]


def _walk(value: Any, path: Sequence[str]) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [found for one in value for found in _walk(one, path)]
    return _walk(value.get(path[0]), path[1:]) if path else [value]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
