"""Where the files are that Envoy watches: each in a directory of its own.

Envoy looks again at all that is watched in a directory when anything is moved into it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

Resource = dict[str, Any]

_NAME = "resources.json"


def path_of(xds: Path, name: str) -> Path:
    """The path of the file of that name."""
    return xds / name / _NAME


def source_of(xds: Path, name: str) -> Resource:
    """The file as what Envoy subscribes to."""
    path = path_of(xds, name)
    return {
        "path_config_source": {
            "path": str(path),
            "watched_directory": {"path": str(path.parent)},
        },
        "resource_api_version": "V3",
    }
