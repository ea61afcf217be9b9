"""The certificate that an ARN names, whichever service keeps it, and who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from openecs.model.certificates import Certificate, KeyPair, ServerCertificate
from openecs.model.identity import Arn, Scope, parse_arn
from openecs.model.load_balancing import SERVICE
from openecs.store.base import Transaction, View
from openecs.store.kinds import CERTIFICATES, LISTENERS, SERVER_CERTIFICATES

__all__ = ["KeyPair", "key_pair", "rename", "users"]


def key_pair(view: View, arn: str) -> KeyPair | None:
    """Certificate, key and chain of ACM's or IAM's certificate of that ARN; None: there is none."""
    parsed = parse_arn(arn)
    if parsed is None:
        return None
    found = _find(view, parsed)
    return found.key_pair if found is not None and found.arn == arn else None


def users(view: View, scope: Scope | None) -> Mapping[str, Sequence[str]]:
    """ARNs of certificates to those of the load balancers whose listeners use them.

    ``scope`` is where the listeners are, None for everywhere.
    """
    found: dict[str, dict[str, None]] = {}
    for listener in view.scan(LISTENERS, scope):
        balancer = listener.scope.arn(SERVICE, f"loadbalancer/{listener.load_balancer}")
        for arn in listener.certificates:
            found.setdefault(arn, {})[balancer] = None
    return {arn: tuple(balancers) for arn, balancers in found.items()}


def rename(tx: Transaction, before: str, after: str) -> None:
    """Let the listeners that use one ARN use another: the certificate's name is part of IAM's."""
    for listener in tx.scan(LISTENERS, None):
        if before in listener.certificates:
            arns = tuple(after if arn == before else arn for arn in listener.certificates)
            tx.put(LISTENERS, replace(listener, certificates=arns))


def _find(view: View, arn: Arn) -> Certificate | ServerCertificate | None:
    kind, _, name = arn.resource.partition("/")
    match arn.service, kind:
        case "acm", "certificate":
            return view.get(CERTIFICATES, arn.scope, name)
        case "iam", "server-certificate":
            return view.get(SERVER_CERTIFICATES, arn.scope, name.rpartition("/")[2])
        case _:
            return None
