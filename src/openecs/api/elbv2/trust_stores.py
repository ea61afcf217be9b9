"""CreateTrustStore, DescribeTrustStores, DescribeTrustStoreAssociations, ModifyTrustStore,
DeleteTrustStore.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import ca_bundles, errors, paging, references, tag_rules
from openecs.model.trust_stores import TrustStore
from openecs.store.base import Transaction, View
from openecs.store.kinds import TRUST_STORES

_MOST = 20
_NAMES = re.compile(r"(?=.{1,32}\Z)([a-zA-Z0-9]+-)*[a-zA-Z0-9]+")


def create_trust_store(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep the certificates of authorities that a bundle has."""
    name = request["Name"]
    if not _NAMES.fullmatch(name):
        raise errors.validation(f"Trust store name '{name}' is not valid")
    if tx.find(TRUST_STORES, call.scope, "name", (name,)):
        raise errors.duplicate_trust_store(name)
    if len(tx.scan(TRUST_STORES, call.scope)) >= _MOST:
        raise errors.too_many("TrustStores", f"The number of trust stores cannot exceed '{_MOST}'")
    made = TrustStore(
        scope=call.scope,
        name=name,
        id=call.ids.hex32()[-16:],
        ca_certificates=ca_bundles.read(call, request),
        created_at=call.now,
        tags=tag_rules.parse(request.get("Tags")),
    )
    tx.put(TRUST_STORES, made)
    return {"TrustStores": [_show(made)]}


def describe_trust_stores(view: View, call: Call, request: Members) -> Members:
    """Trust stores by ARN or by name, or all of them."""
    found = _asked_for(view, call, request)
    shown, marker = paging.page(request, found, lambda each: each.path)
    return {"TrustStores": [_show(each) for each in shown], "NextMarker": marker}


def describe_trust_store_associations(view: View, call: Call, request: Members) -> Members:
    """The load balancers with listeners that verify clients by a trust store."""
    store = references.trust_store(view, call, request["TrustStoreArn"])
    arns = sorted({references.load_balancer_arn(each) for each in references.users(view, store)})
    shown, marker = paging.page(request, arns, lambda arn: arn)
    found = [{"ResourceArn": arn} for arn in shown]
    return {"TrustStoreAssociations": found, "NextMarker": marker}


def modify_trust_store(tx: Transaction, call: Call, request: Members) -> Members:
    """Keep the certificates of another bundle, or of the same one read again."""
    store = references.trust_store(tx, call, request["TrustStoreArn"])
    changed = replace(store, ca_certificates=ca_bundles.read(call, request))
    tx.put(TRUST_STORES, changed)
    return {"TrustStores": [_show(changed)]}


def delete_trust_store(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a trust store that no listener needs."""
    store = references.trust_store(tx, call, request["TrustStoreArn"])
    if references.users(tx, store):
        raise errors.trust_store_in_use(store.arn)
    tx.delete(TRUST_STORES, call.scope, store.path)
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateTrustStore": Writes(create_trust_store),
    "DescribeTrustStores": Reads(describe_trust_stores),
    "DescribeTrustStoreAssociations": Reads(describe_trust_store_associations),
    "ModifyTrustStore": Writes(modify_trust_store),
    "DeleteTrustStore": Writes(delete_trust_store),
}


def _asked_for(view: View, call: Call, request: Members) -> Sequence[TrustStore]:
    arns, wanted = request.get("TrustStoreArns"), request.get("Names")
    if arns and wanted:
        raise errors.validation(
            "Trust store names and trust store ARNs cannot be specified at the same time"
        )
    if arns:
        return _ordered(references.trust_store(view, call, arn) for arn in arns)
    if wanted:
        return _ordered(_named(view, call, name) for name in wanted)
    return view.scan(TRUST_STORES, call.scope)


def _ordered(stores: Iterable[TrustStore]) -> Sequence[TrustStore]:
    return sorted({each.path: each for each in stores}.values(), key=lambda each: each.path)


def _named(view: View, call: Call, name: str) -> TrustStore:
    found = view.find(TRUST_STORES, call.scope, "name", (name,))
    if not found:
        raise errors.trust_store_not_found()
    return found[0]


def _show(store: TrustStore) -> Members:
    return {
        "Name": store.name,
        "TrustStoreArn": store.arn,
        "Status": "ACTIVE",
        "NumberOfCaCertificates": len(store.ca_certificates),
        "TotalRevokedEntries": store.revoked_entries,
    }
