"""Objects of Amazon S3 that requests name: files in the directory that stands for their bucket."""

from __future__ import annotations

import re
from pathlib import Path

from openecs.api.base import Call
from openecs.api.elbv2 import errors

#: The name of a bucket is the name of a directory.
_BUCKETS = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*")
#: Bytes; as many certificates of AWS's 16 KB as a trust store may have are less.
_LARGEST = 1_048_576


def read(call: Call, bucket: str, key: str, version: str | None) -> bytes | None:
    """The content of an object; None: there is no such object, empty: it is too large to be read.

    Raises ``InvalidConfigurationRequest`` where there are no objects here.
    """
    if call.settings.objects is None:
        raise errors.not_built(
            "trust stores without the setting environment_files_dir, where their files are read"
        )
    if version:
        raise errors.not_built("versions of objects in Amazon S3")
    path = _path(call.settings.objects, bucket, key)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError:
        return None
    return content if len(content) <= _LARGEST else b""


def _path(objects: Path, bucket: str, key: str) -> Path | None:
    if not _BUCKETS.fullmatch(bucket) or "\0" in key:
        return None
    root = (objects / bucket).resolve()
    path = (root / key).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None
