"""Bundles of authorities' certificates, which requests name as objects of Amazon S3."""

from __future__ import annotations

from openecs.api.base import Call, Members
from openecs.api.elbv2 import errors, objects
from openecs.decide.certificates.authorities import authorities

#: How many certificates a trust store may have.
_MOST = 25


def read(call: Call, request: Members) -> tuple[str, ...]:
    """The certificates of the bundle that a request names, PEM texts.

    Raises ``CaCertificatesBundleNotFound``, ``InvalidCaCertificatesBundle``.
    """
    bucket, key = request["CaCertificatesBundleS3Bucket"], request["CaCertificatesBundleS3Key"]
    version = request.get("CaCertificatesBundleS3ObjectVersion")
    content = objects.read(call, bucket, key, version)
    if content is None:
        raise errors.bundle_not_found(f"s3://{bucket}/{key}")
    found = authorities(content)
    if found is None:
        raise errors.invalid_bundle(
            "The CA certificates bundle is not a PEM text of certificates of authorities"
        )
    if len(found) > _MOST:
        raise errors.invalid_bundle(f"The number of CA certificates cannot exceed '{_MOST}'")
    return found
