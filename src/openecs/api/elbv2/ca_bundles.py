"""Bundles of authorities' certificates, which requests name as objects of Amazon S3."""

from __future__ import annotations

import re
from pathlib import Path

from openecs.api.base import Call, Members
from openecs.api.elbv2 import errors
from openecs.decide.certificates.authorities import authorities

#: The name of a bucket is the name of a directory.
_BUCKETS = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]*")
#: How many certificates a trust store may have.
_MOST = 25
#: Bytes; as many certificates of AWS's 16 KB at most are less.
_LARGEST = 1_048_576


def read(call: Call, request: Members) -> tuple[str, ...]:
    """The certificates of the bundle that a request names, PEM texts.

    Raises ``CaCertificatesBundleNotFound``, ``InvalidCaCertificatesBundle``.
    """
    if call.settings.objects is None:
        raise errors.not_built(
            "trust stores without the setting environment_files_dir, where bundles are read"
        )
    if request.get("CaCertificatesBundleS3ObjectVersion"):
        raise errors.not_built("versions of objects in Amazon S3")
    bucket, key = request["CaCertificatesBundleS3Bucket"], request["CaCertificatesBundleS3Key"]
    found = authorities(_text(call.settings.objects, bucket, key))
    if found is None:
        raise errors.invalid_bundle(
            "The CA certificates bundle is not a PEM text of certificates of authorities"
        )
    if len(found) > _MOST:
        raise errors.invalid_bundle(f"The number of CA certificates cannot exceed '{_MOST}'")
    return found


def _text(objects: Path, bucket: str, key: str) -> str:
    path = _path(objects, bucket, key)
    if path is None:
        raise errors.bundle_not_found(f"s3://{bucket}/{key}")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
            return content.decode() if len(content) <= _LARGEST else ""
    except (OSError, UnicodeDecodeError) as error:
        raise errors.invalid_bundle("The CA certificates bundle cannot be read") from error


def _path(objects: Path, bucket: str, key: str) -> Path | None:
    """The file that stands for an object, in the directory of its bucket."""
    if not _BUCKETS.fullmatch(bucket) or "\0" in key:
        return None
    root = (objects / bucket).resolve()
    path = (root / key).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None
