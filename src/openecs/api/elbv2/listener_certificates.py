"""AddListenerCertificates, DescribeListenerCertificates, RemoveListenerCertificates.

The first certificate of a listener is its default one; clients that ask for a name that another one
is for are shown that. Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import errors, paging, references
from openecs.api.elbv2.account_limits import LIMITS
from openecs.model.load_balancing import Listener
from openecs.store.base import Transaction, View
from openecs.store.certificates import key_pair
from openecs.store.kinds import LISTENERS

_MOST = LIMITS["certificates-per-application-load-balancer"]


def add_listener_certificates(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a listener show more certificates; those it has already are passed over."""
    listener = _secure(tx, call, request)
    arns = _given(request)
    for arn in arns:
        if key_pair(tx, arn) is None:
            raise errors.certificate_not_found(arn)
    certificates = tuple(dict.fromkeys((*listener.certificates, *arns)))
    if len(certificates) - 1 > _MOST:
        message = f"The number of certificates cannot exceed '{_MOST}'"
        raise errors.too_many("Certificates", message)
    tx.put(LISTENERS, replace(listener, certificates=certificates))
    return {"Certificates": _show(listener, arns)}


def describe_listener_certificates(view: View, call: Call, request: Members) -> Members:
    """The certificates of a listener, the default one first."""
    listener = references.listener(view, call, request["ListenerArn"])
    numbered = [(f"{place:04}", arn) for place, arn in enumerate(listener.certificates)]
    shown, marker = paging.page(request, numbered, lambda each: each[0])
    return {"Certificates": _show(listener, [arn for _, arn in shown]), "NextMarker": marker}


def remove_listener_certificates(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a listener show some certificates no more; the default one stays."""
    listener = _secure(tx, call, request)
    arns = _given(request)
    default, *others = listener.certificates
    if default in arns:
        raise errors.not_permitted(f"Default certificate '{default}' cannot be removed")
    kept = tuple(arn for arn in others if arn not in arns)
    tx.put(LISTENERS, replace(listener, certificates=(default, *kept)))
    return {}


OPERATIONS: dict[str, Operation] = {
    "AddListenerCertificates": Writes(add_listener_certificates),
    "DescribeListenerCertificates": Reads(describe_listener_certificates),
    "RemoveListenerCertificates": Writes(remove_listener_certificates),
}


def _secure(view: View, call: Call, request: Members) -> Listener:
    listener = references.listener(view, call, request["ListenerArn"])
    if not listener.certificates:
        raise errors.invalid_configuration(
            f"Certificates cannot be specified for {listener.protocol} listeners"
        )
    return listener


def _show(listener: Listener, arns: Iterable[str]) -> list[Members]:
    default = listener.certificates[:1]
    return [{"CertificateArn": arn, "IsDefault": arn in default} for arn in arns]


def _given(request: Members) -> list[str]:
    arns = [each.get("CertificateArn") or "" for each in request["Certificates"]]
    if not arns:
        raise errors.validation("At least one certificate must be specified")
    return arns
