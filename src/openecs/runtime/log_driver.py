"""Which of the engine's log drivers serves a container."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from openecs.model.logs import AWSLOGS
from openecs.model.task_definitions import LogConfiguration
from openecs.runtime.base import LABEL_AWSLOGS

#: The driver below awslogs, and how much it keeps while nobody reads it.
_BELOW, _KEPT = "json-file", {"max-size": "100m", "max-file": "10"}
#: Options of awslogs that the driver below has too.
_SHARED = ("mode", "max-buffer-size")


def labels(logs: LogConfiguration | None) -> dict[str, str]:
    """What a container's labels say of its log."""
    if logs is None or logs.log_driver != AWSLOGS:
        return {}
    return {LABEL_AWSLOGS: msgspec.json.encode(logs.options or {}).decode()}


def engine_driver(logs: LogConfiguration | None) -> tuple[str, Mapping[str, str]]:
    """The engine's driver and its options; an empty name: the engine's own choice."""
    if logs is None:
        return "", {}
    options = logs.options or {}
    if logs.log_driver != AWSLOGS:
        return logs.log_driver, options
    return _BELOW, {**_KEPT, **{name: options[name] for name in _SHARED if name in options}}
