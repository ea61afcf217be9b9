"""DescribeCertificate, GetCertificate, ListCertificates, DeleteCertificate.

AWS Certificate Manager API Reference, version 2015-12-08.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from openecs.api.acm import errors, paging, references, views
from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.decide.certificates import renewal
from openecs.model.certificates import Certificate
from openecs.store import certificates
from openecs.store.base import Transaction, View
from openecs.store.kinds import CERTIFICATES

#: What ListCertificates is content with unless told: API Reference, ``Filters``.
_KEY_TYPES = ("RSA_1024", "RSA_2048")


def describe_certificate(view: View, call: Call, request: Members) -> Members:
    """All there is to know of a certificate, but for its key."""
    found = references.certificate(view, call, request["CertificateArn"])
    users = certificates.users(view, call.scope).get(found.arn, ())
    return {"Certificate": views.detail(found, users, call.now)}


def get_certificate(view: View, call: Call, request: Members) -> Members:
    """The certificate and its chain, as PEM texts."""
    pair = references.certificate(view, call, request["CertificateArn"]).key_pair
    return {"Certificate": pair.certificate, "CertificateChain": pair.chain}


def list_certificates(view: View, call: Call, request: Members) -> Members:
    """Summaries, filtered, page by page, the oldest first unless asked otherwise."""
    if bool(request.get("SortBy")) != bool(request.get("SortOrder")):
        raise errors.validation("SortBy and SortOrder must be specified together.")
    kept = _filtered(view.scan(CERTIFICATES, call.scope), call, request)
    page, token = paging.page(kept, call, request)
    users = certificates.users(view, call.scope)
    shown = [views.summary(one, users.get(one.arn, ()), call.now) for one in page]
    return {"CertificateSummaryList": shown, "NextToken": token}


def delete_certificate(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a certificate that no listener uses."""
    found = references.certificate(tx, call, request["CertificateArn"])
    if certificates.users(tx, call.scope).get(found.arn):
        raise errors.in_use(found.arn, call.scope.account)
    tx.delete(CERTIFICATES, call.scope, found.id)
    return {}


OPERATIONS: dict[str, Operation] = {
    "DescribeCertificate": Reads(describe_certificate),
    "GetCertificate": Reads(get_certificate),
    "ListCertificates": Reads(list_certificates),
    "DeleteCertificate": Writes(delete_certificate),
}


def _filtered(found: Iterable[Certificate], call: Call, request: Members) -> list[Certificate]:
    includes = request.get("Includes") or {}
    key_types = includes.get("keyTypes") or _KEY_TYPES
    tests: list[Callable[[Certificate], bool]] = [lambda c: c.facts.key_algorithm in key_types]
    if statuses := request.get("CertificateStatuses"):
        tests.append(lambda c: renewal.status(c, call.now) in statuses)
    if usages := includes.get("keyUsage"):
        tests.append(lambda c: bool({*(c.facts.key_usages or ("ANY",))} & set(usages)))
    if extended := includes.get("extendedKeyUsage"):
        tests.append(lambda c: bool({*views.extended_key_usages(c)} & set(extended)))
    if option := includes.get("exportOption"):
        tests.append(lambda c: c.export == option)
    if origins := request.get("CertificateKeyPairOrigins"):
        tests.append(lambda c: views.key_pair_origin(c) in origins)
    if includes.get("managedBy"):
        return []
    return [one for one in found if all(test(one) for test in tests)]
