"""Tags of server certificates.

Rules: IAM User Guide, "Tags for AWS Identity and Access Management resources".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import errors, paging, references
from openecs.store.base import Transaction, View
from openecs.store.kinds import SERVER_CERTIFICATES

LIMIT = 50


def parse(
    tags: Sequence[Members] | None, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a request, added to the ``existing`` ones.

    Raises ``InvalidInput`` and ``LimitExceeded``.
    """
    given = [(tag["Key"], tag["Value"]) for tag in tags or ()]
    if any(key.lower().startswith("aws:") for key, _ in given):
        raise errors.invalid_input("Tag keys beginning with 'aws:' are reserved for AWS use.")
    if len({key.lower() for key, _ in given}) < len(given):
        raise errors.invalid_input(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    merged = {**(existing or {}), **dict(given)}
    if len(merged) > LIMIT:
        raise errors.limit_exceeded(f"Cannot exceed quota for TagsPerServerCertificate: {LIMIT}")
    return merged


def show(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_server_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags, or give those that are there new values."""
    found = references.server_certificate(tx, call, request["ServerCertificateName"])
    tx.put(SERVER_CERTIFICATES, replace(found, tags=parse(request["Tags"], found.tags)))
    return {}


def untag_server_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away; keys that are not there are passed over."""
    found = references.server_certificate(tx, call, request["ServerCertificateName"])
    gone = set(request["TagKeys"])
    kept = {key: value for key, value in found.tags.items() if key not in gone}
    tx.put(SERVER_CERTIFICATES, replace(found, tags=kept))
    return {}


def list_server_certificate_tags(view: View, call: Call, request: Members) -> Members:
    """The tags by their keys, page by page."""
    found = references.server_certificate(view, call, request["ServerCertificateName"])
    shown, more = paging.page(found.tags.items(), lambda tag: tag[0], request)
    return {"Tags": show(dict(shown)), **more}


OPERATIONS: dict[str, Operation] = {
    "TagServerCertificate": Writes(tag_server_certificate),
    "UntagServerCertificate": Writes(untag_server_certificate),
    "ListServerCertificateTags": Reads(list_server_certificate_tags),
}
