"""Tags of certificates.

Rules: AWS Certificate Manager User Guide, "Tag ACM resources".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from openecs.api.acm import references
from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.store.base import Transaction, View
from openecs.store.kinds import CERTIFICATES

LIMIT = 50


def parse(
    tags: Sequence[Members] | None, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a request, added to the ``existing`` ones of the certificate.

    Raises ``InvalidTagException`` and ``TooManyTagsException``.
    """
    given = [(tag["Key"], tag.get("Value") or "") for tag in tags or ()]
    for key, _ in given:
        if key.lower().startswith("aws:"):
            raise ServiceError(
                "InvalidTagException",
                f'Invalid Tag Key: "{key}". AWS internal tags cannot be changed with this API',
            )
    if len({key for key, _ in given}) < len(given):
        raise ServiceError("InvalidTagException", "Duplicate tag keys are not allowed.")
    merged = {**(existing or {}), **dict(given)}
    if len(merged) > LIMIT:
        shown = ", ".join(f"{key}={value}" for key, value in merged.items())
        message = f"the TagSet: '{{{shown}}}' contains too many Tags"
        raise ServiceError("TooManyTagsException", message)
    return merged


def add_tags_to_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags, or give those that are there new values."""
    return _add(tx, call, request["CertificateArn"], request["Tags"])


def remove_tags_from_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away; one given with a value only if it has that value."""
    found = references.certificate(tx, call, request["CertificateArn"])
    gone = {tag["Key"]: tag.get("Value") for tag in request["Tags"]}
    kept = {
        key: value
        for key, value in found.tags.items()
        if key not in gone or gone[key] not in {None, value}
    }
    tx.put(CERTIFICATES, replace(found, tags=kept))
    return {}


def list_tags_for_certificate(view: View, call: Call, request: Members) -> Members:
    """The tags of a certificate."""
    return _show(view, call, request["CertificateArn"])


def tag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """As AddTagsToCertificate."""
    return _add(tx, call, request["ResourceArn"], request["Tags"])


def untag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away by their keys."""
    found = references.certificate(tx, call, request["ResourceArn"])
    gone = set(request["TagKeys"])
    kept = {key: value for key, value in found.tags.items() if key not in gone}
    tx.put(CERTIFICATES, replace(found, tags=kept))
    return {}


def list_tags_for_resource(view: View, call: Call, request: Members) -> Members:
    """As ListTagsForCertificate."""
    return _show(view, call, request["ResourceArn"])


OPERATIONS: dict[str, Operation] = {
    "AddTagsToCertificate": Writes(add_tags_to_certificate),
    "RemoveTagsFromCertificate": Writes(remove_tags_from_certificate),
    "ListTagsForCertificate": Reads(list_tags_for_certificate),
    "TagResource": Writes(tag_resource),
    "UntagResource": Writes(untag_resource),
    "ListTagsForResource": Reads(list_tags_for_resource),
}


def _add(tx: Transaction, call: Call, arn: str, tags: Sequence[Members]) -> Members:
    found = references.certificate(tx, call, arn)
    tx.put(CERTIFICATES, replace(found, tags=parse(tags, found.tags)))
    return {}


def _show(view: View, call: Call, arn: str) -> Members:
    found = references.certificate(view, call, arn)
    return {"Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()]}
