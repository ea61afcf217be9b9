"""Files that Envoy watches: written whole and moved into place, and only when they change."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from openecs.edge.files import path_of

Resource = dict[str, Any]


class Publisher:
    """The files of one Envoy."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._written: dict[str, str] = {}

    def publish(self, files: Mapping[str, Sequence[Resource]]) -> list[str]:
        """Write what has changed; the names of those files."""
        return [name for name, resources in files.items() if self._write(name, resources)]

    def version(self, name: str) -> str:
        """The version of a file that was written."""
        return self._written[name]

    def published(self, name: str) -> Sequence[Resource]:
        """What a file holds now, whoever wrote it."""
        try:
            document = msgspec.json.decode(path_of(self._directory, name).read_bytes())
        except FileNotFoundError:
            return ()
        found: Sequence[Resource] = document["resources"]
        return found

    def forget(self, name: str) -> None:
        """Write a file again the next time, changed or not."""
        self._written.pop(name, None)

    def retain(self, names: set[str]) -> None:
        """Remove every other file."""
        for path in self._directory.iterdir():
            if path.name not in names:
                shutil.rmtree(path)
                self._written.pop(path.name, None)

    def _write(self, name: str, resources: Sequence[Resource]) -> bool:
        body = msgspec.json.encode(resources, order="deterministic")
        version = hashlib.sha256(body).hexdigest()[:16]
        if self._written.get(name) == version:
            return False
        document = {"version_info": version, "resources": list(resources)}
        draft = self._directory.parent / f"{name}.draft"
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(document))
        path = path_of(self._directory, name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.replace(path)
        self._written[name] = version
        return True
