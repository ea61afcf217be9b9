"""AddTrustStoreRevocations, DescribeTrustStoreRevocations, RemoveTrustStoreRevocations.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import errors, objects, paging, references
from openecs.decide.certificates.revocations import number_of_entries, revocation_lists
from openecs.model.trust_stores import Revocation, TrustStore
from openecs.store.base import Transaction, View
from openecs.store.kinds import TRUST_STORES

#: Files, and certificates in all of them, of a trust store.
_MOST, _MOST_ENTRIES = 30, 10_000


def add_trust_store_revocations(tx: Transaction, call: Call, request: Members) -> Members:
    """Refuse certificates that their authorities have revoked from now on."""
    store = references.trust_store(tx, call, request["TrustStoreArn"])
    if any(each.protocol == "TLS" for each in references.users(tx, store)):
        raise errors.not_built("revocation files for TLS listeners")
    given = request.get("RevocationContents") or ()
    if not given:
        raise errors.validation("At least one revocation file must be specified")
    first = store.revocations_made + 1
    added = tuple(_read(call, store, each, n) for n, each in enumerate(given, first))
    changed = replace(
        store,
        revocations=(*store.revocations, *added),
        revocations_made=store.revocations_made + len(added),
    )
    if len(changed.revocations) > _MOST or changed.revoked_entries > _MOST_ENTRIES:
        raise errors.too_many(
            "TrustStoreRevocationEntries",
            f"The number of revocation files cannot exceed '{_MOST}', that of their entries "
            f"'{_MOST_ENTRIES}'",
        )
    tx.put(TRUST_STORES, changed)
    return {"TrustStoreRevocations": [_show(store, each) for each in added]}


def describe_trust_store_revocations(view: View, call: Call, request: Members) -> Members:
    """The revocation files of a trust store, all or some."""
    store = references.trust_store(view, call, request["TrustStoreArn"])
    wanted = request.get("RevocationIds")
    _check(store, wanted or ())
    found = [each for each in store.revocations if not wanted or each.id in wanted]
    shown, marker = paging.page(request, found, lambda each: f"{each.id:012}")
    told = [_show(store, each) for each in shown]
    return {"TrustStoreRevocations": told, "NextMarker": marker}


def remove_trust_store_revocations(tx: Transaction, call: Call, request: Members) -> Members:
    """Let in again what some revocation files refuse."""
    store = references.trust_store(tx, call, request["TrustStoreArn"])
    _check(store, request["RevocationIds"])
    kept = tuple(each for each in store.revocations if each.id not in request["RevocationIds"])
    tx.put(TRUST_STORES, replace(store, revocations=kept))
    return {}


OPERATIONS: dict[str, Operation] = {
    "AddTrustStoreRevocations": Writes(add_trust_store_revocations),
    "DescribeTrustStoreRevocations": Reads(describe_trust_store_revocations),
    "RemoveTrustStoreRevocations": Writes(remove_trust_store_revocations),
}


def _read(call: Call, store: TrustStore, given: Members, number: int) -> Revocation:
    bucket, key = given.get("S3Bucket") or "", given.get("S3Key") or ""
    content = objects.read(call, bucket, key, given.get("S3ObjectVersion"))
    if content is None:
        raise errors.revocation_content_not_found(f"s3://{bucket}/{key}")
    lists = revocation_lists(content, store.ca_certificates)
    if lists is None:
        raise errors.invalid_revocation_content()
    return Revocation(id=number, lists=lists, entries=number_of_entries(lists))


def _check(store: TrustStore, wanted: Iterable[int]) -> None:
    known = {each.id for each in store.revocations}
    if not known.issuperset(wanted):
        raise errors.revocation_not_found()


def _show(store: TrustStore, revocation: Revocation) -> Members:
    return {
        "TrustStoreArn": store.arn,
        "RevocationId": revocation.id,
        "RevocationType": "CRL",
        "NumberOfRevokedEntries": revocation.entries,
    }
