"""CreateListener, DescribeListeners, ModifyListener, DeleteListener.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import (
    action_views,
    actions,
    errors,
    mutual_authentication,
    paging,
    references,
    ssl_policies,
    tag_rules,
)
from openecs.api.elbv2.actions import Place
from openecs.model.load_balancing import (
    Listener,
    LoadBalancer,
    LoadBalancerType,
    MutualAuthentication,
)
from openecs.model.tls_policies import ALPN_POLICIES, DEFAULT_POLICY
from openecs.store.base import Transaction, View
from openecs.store.certificates import key_pair
from openecs.store.kinds import LISTENERS, RULES

_PROTOCOLS = {
    LoadBalancerType.APPLICATION: ("HTTP", "HTTPS"),
    LoadBalancerType.NETWORK: ("TCP", "TLS", "UDP", "TCP_UDP"),
}
_SECURE = ("HTTPS", "TLS")
_NOT_BUILT_PROTOCOLS = ("QUIC", "TCP_QUIC")
_MOST = 50


def create_listener(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a load balancer listen on a port; where it does so already, show that."""
    balancer = references.load_balancer(tx, call, request["LoadBalancerArn"])
    protocol = _protocol(balancer, request.get("Protocol"))
    if request.get("Port") is None:
        raise errors.validation("A port must be specified")
    security = _security(tx, call, protocol, request)
    made = Listener(
        scope=call.scope,
        load_balancer=balancer.path,
        id=call.ids.hex32()[-16:],
        protocol=protocol,
        port=request["Port"],
        default_actions=actions.parse(
            tx, call, Place(balancer=balancer, protocol=protocol), request["DefaultActions"]
        ),
        ssl_policy=security.policy,
        certificates=security.certificates,
        alpn_policy=security.alpn,
        mutual_authentication=security.mutual,
        created_at=call.now,
        tags=tag_rules.parse(request.get("Tags")),
    )
    siblings = tx.scan(LISTENERS, call.scope, prefix=f"{balancer.path}/")
    known = next((each for each in siblings if each.port == made.port), None)
    if known is not None:
        if _settings(known) != _settings(made):
            raise errors.duplicate_listener()
        return {"Listeners": [_show(known)]}
    if len(siblings) >= _MOST:
        raise errors.too_many("Listeners", f"The number of listeners cannot exceed '{_MOST}'")
    tx.put(LISTENERS, made)
    return {"Listeners": [_show(made)]}


def describe_listeners(view: View, call: Call, request: Members) -> Members:
    """Listeners by their ARNs, or those of a load balancer."""
    arns, balancer = request.get("ListenerArns"), request.get("LoadBalancerArn")
    if bool(arns) == bool(balancer):
        raise errors.validation(
            "You must specify either listener ARNs or a load balancer ARN"
            if not arns
            else "Listener ARNs and a load balancer ARN cannot be specified at the same time"
        )
    found: Sequence[Listener]
    if arns:
        found = sorted((references.listener(view, call, a) for a in arns), key=lambda e: e.path)
    else:
        path = references.load_balancer(view, call, str(balancer)).path
        found = view.scan(LISTENERS, call.scope, prefix=f"{path}/")
    shown, marker = paging.page(request, found, lambda listener: listener.path)
    return {"Listeners": [_show(each) for each in shown], "NextMarker": marker}


def modify_listener(tx: Transaction, call: Call, request: Members) -> Members:
    """Change what is given; the rest stays."""
    listener = references.listener(tx, call, request["ListenerArn"])
    balancer = references.load_balancer_of(tx, listener)
    protocol = _protocol(balancer, request.get("Protocol") or listener.protocol)
    given = request.get("DefaultActions")
    place = Place(balancer=balancer, protocol=protocol, before=listener.default_actions)
    security = _security(tx, call, protocol, request, listener)
    changed = replace(
        listener,
        protocol=protocol,
        port=request.get("Port") or listener.port,
        default_actions=(
            actions.parse(tx, call, place, given) if given else listener.default_actions
        ),
        ssl_policy=security.policy,
        certificates=security.certificates,
        alpn_policy=security.alpn,
        mutual_authentication=security.mutual,
    )
    rules = tx.scan(RULES, call.scope, prefix=f"{listener.path}/")
    for done in (changed.default_actions, *(rule.actions for rule in rules)):
        actions.check_protocol(protocol, done)
    siblings = tx.scan(LISTENERS, call.scope, prefix=f"{balancer.path}/")
    if any(each.port == changed.port and each.id != changed.id for each in siblings):
        raise errors.duplicate_listener()
    tx.put(LISTENERS, changed)
    return {"Listeners": [_show(changed)]}


def delete_listener(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a listener with its rules."""
    listener = references.listener(tx, call, request["ListenerArn"])
    for rule in tx.scan(RULES, call.scope, prefix=f"{listener.path}/"):
        tx.delete(RULES, call.scope, rule.path)
    tx.delete(LISTENERS, call.scope, listener.path)
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateListener": Writes(create_listener),
    "DescribeListeners": Reads(describe_listeners),
    "ModifyListener": Writes(modify_listener),
    "DeleteListener": Writes(delete_listener),
}


def _protocol(balancer: LoadBalancer, given: str | None) -> str:
    if given in _NOT_BUILT_PROTOCOLS and balancer.type is LoadBalancerType.NETWORK:
        raise errors.not_built(f"listeners of protocol '{given}'")
    allowed = _PROTOCOLS[balancer.type]
    if not given:
        raise errors.validation("A protocol must be specified")
    if given not in allowed:
        listed = ", ".join(reversed(allowed))
        raise errors.validation(f"Listener protocol '{given}' must be one of '{listed}'")
    return given


@dataclass(frozen=True, slots=True)
class _Security:
    """What a listener shows its clients, and asks of them."""

    policy: str | None = None
    certificates: tuple[str, ...] = ()
    mutual: MutualAuthentication | None = None
    alpn: tuple[str, ...] = ()


def _security(
    view: View, call: Call, protocol: str, request: Members, before: Listener | None = None
) -> _Security:
    """The policy and certificates that the protocol asks for, and nothing where it asks none."""
    given = [each.get("CertificateArn") or "" for each in request.get("Certificates") or ()]
    mutual = mutual_authentication.parse(
        view, call, protocol, request.get("MutualAuthentication"), before
    )
    alpn = _alpn(protocol, request, before)
    if protocol not in _SECURE:
        if given or request.get("SslPolicy"):
            raise errors.invalid_configuration(
                f"A certificate and a security policy cannot be specified for {protocol} listeners"
            )
        return _Security()
    if len(given) > 1:
        raise errors.validation("Only one certificate can be specified")
    known = before.certificates if before else ()
    certificates = tuple(dict.fromkeys((*given, *known[1:]))) if given else known
    if not certificates:
        raise errors.validation(f"A certificate must be specified for {protocol} listeners")
    for arn in certificates:
        if key_pair(view, arn) is None:
            raise errors.certificate_not_found(arn)
    policy = request.get("SslPolicy") or (before.ssl_policy if before else None)
    name = ssl_policies.find(policy or DEFAULT_POLICY).name
    return _Security(name, certificates, mutual, alpn)


def _alpn(protocol: str, request: Members, before: Listener | None) -> tuple[str, ...]:
    """The name of the policy by which TLS listeners agree on what is spoken inside."""
    given = request.get("AlpnPolicy")
    if not given:
        return before.alpn_policy if before and protocol == "TLS" else ()
    if protocol != "TLS":
        raise errors.invalid_configuration(
            f"An ALPN policy cannot be specified for {protocol} listeners"
        )
    if len(given) > 1 or given[0] not in ALPN_POLICIES:
        listed = ", ".join(ALPN_POLICIES)
        raise errors.validation(f"An ALPN policy must be one of '{listed}'")
    return tuple(given)


def _settings(listener: Listener) -> tuple[object, ...]:
    mutual = listener.mutual_authentication or MutualAuthentication()
    secure = (listener.ssl_policy, listener.certificates, mutual, listener.alpn_policy)
    return (listener.protocol, listener.default_actions, *secure)


def _show(listener: Listener) -> Members:
    return {
        "ListenerArn": listener.arn,
        "LoadBalancerArn": references.load_balancer_arn(listener),
        "Port": listener.port,
        "Protocol": listener.protocol,
        "SslPolicy": listener.ssl_policy,
        "Certificates": [{"CertificateArn": a} for a in listener.certificates[:1]] or None,
        "AlpnPolicy": list(listener.alpn_policy) or None,
        "DefaultActions": action_views.show(listener.default_actions),
        "MutualAuthentication": mutual_authentication.show(listener),
    }
