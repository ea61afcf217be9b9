"""CreateLoadBalancer, DescribeLoadBalancers, DeleteLoadBalancer.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import (
    balancer_targets,
    errors,
    load_balancer_network,
    load_balancer_views,
    names,
    paging,
    references,
    tag_rules,
)
from openecs.api.elbv2.load_balancer_attributes import DELETION_PROTECTION
from openecs.decide.loopback import free_address
from openecs.model.load_balancing import LoadBalancer, LoadBalancerType, Scheme
from openecs.store.base import Transaction, View
from openecs.store.kinds import LISTENERS, LOAD_BALANCER_STATES, LOAD_BALANCERS, RULES

#: What AWS has of a load balancer and is refused here.
_NOT_BUILT = {
    "CustomerOwnedIpv4Pool": "address pools of AWS Outposts",
    "IpamPools": "IPAM pools",
}


def create_load_balancer(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a load balancer; where there is the same one already, show that."""
    name = request["Name"]
    _check(request)
    made = _load_balancer(tx, call, request)
    known = next(iter(tx.find(LOAD_BALANCERS, call.scope, "name", (name,))), None)
    if known is not None:
        if not _is_same(known, made):
            raise errors.duplicate_load_balancer(name)
        return {"LoadBalancers": [load_balancer_views.load_balancer(tx, known)]}
    tx.put(LOAD_BALANCERS, made)
    return {"LoadBalancers": [load_balancer_views.load_balancer(tx, made)]}


def describe_load_balancers(view: View, call: Call, request: Members) -> Members:
    """Load balancers by ARN or by name, or all of them."""
    found = _asked_for(view, call, request)
    shown, marker = paging.page(request, found, lambda balancer: balancer.path)
    return {
        "LoadBalancers": [load_balancer_views.load_balancer(view, each) for each in shown],
        "NextMarker": marker,
    }


def delete_load_balancer(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a load balancer with its listeners and rules; one that is not there is passed over."""
    key = references.key_of(call, "loadbalancer", request["LoadBalancerArn"])
    balancer = None if key is None else tx.get(LOAD_BALANCERS, call.scope, key)
    if balancer is None:
        return {}
    if balancer.attributes.get(DELETION_PROTECTION) == "true":
        raise errors.not_permitted(
            f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is "
            "enabled"
        )
    balancer_targets.check_deletion(tx, balancer)
    for rule in tx.scan(RULES, call.scope, prefix=f"{balancer.path}/"):
        tx.delete(RULES, call.scope, rule.path)
    for listener in tx.scan(LISTENERS, call.scope, prefix=f"{balancer.path}/"):
        tx.delete(LISTENERS, call.scope, listener.path)
    tx.delete(LOAD_BALANCER_STATES, call.scope, balancer.path)
    tx.delete(LOAD_BALANCERS, call.scope, balancer.path)
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateLoadBalancer": Writes(create_load_balancer),
    "DescribeLoadBalancers": Reads(describe_load_balancers),
    "DeleteLoadBalancer": Writes(delete_load_balancer),
}


def _check(request: Members) -> None:
    names.check("Load balancer", request["Name"])
    if request["Name"].startswith("internal-"):
        raise errors.validation(
            f"Load balancer name '{request['Name']}' cannot begin with 'internal-'"
        )
    if request.get("Type") == LoadBalancerType.GATEWAY:
        raise errors.not_built("gateway load balancers")
    for member, words in _NOT_BUILT.items():
        if request.get(member):
            raise errors.not_built(words)
    load_balancer_network.check_ip_address_type(request.get("IpAddressType") or "ipv4")
    if request.get("EnablePrefixForIpv6SourceNat") == "on":
        raise errors.invalid_subnet("You must specify subnets with an associated IPv6 CIDR block")


def _load_balancer(tx: Transaction, call: Call, request: Members) -> LoadBalancer:
    type_ = LoadBalancerType(request.get("Type") or LoadBalancerType.APPLICATION)
    scheme = Scheme(request.get("Scheme") or Scheme.INTERNET_FACING)
    place = load_balancer_network.place(tx, call, request, type_, scheme)
    identifier = call.ids.hex32()[-16:]
    taken = {other.loopback_address for other in tx.scan(LOAD_BALANCERS, None)}
    return LoadBalancer(
        scope=call.scope,
        name=request["Name"],
        id=identifier,
        type=type_,
        scheme=scheme,
        ip_address_type="ipv4",
        vpc_id=place.vpc_id,
        subnets=place.subnets,
        security_groups=load_balancer_network.security_groups(
            tx, call, request.get("SecurityGroups"), place.vpc_id, type_
        ),
        dns_name=_dns_name(call, request["Name"], identifier, type_, scheme),
        loopback_address=free_address(identifier, taken),
        created_at=call.now,
        tags=tag_rules.parse(request.get("Tags")),
    )


def _dns_name(
    call: Call, name: str, identifier: str, type_: LoadBalancerType, scheme: Scheme
) -> str:
    region = call.scope.region
    if type_ is LoadBalancerType.NETWORK:
        return f"{name}-{identifier}.elb.{region}.localhost"
    prefix = "internal-" if scheme is Scheme.INTERNAL else ""
    return f"{prefix}{name}-{call.ids.digits(10)}.{region}.elb.localhost"


def _is_same(one: LoadBalancer, other: LoadBalancer) -> bool:
    return _settings(one) == _settings(other)


def _settings(balancer: LoadBalancer) -> tuple[object, ...]:
    groups, subnets = frozenset(balancer.security_groups), frozenset(balancer.subnets)
    return (balancer.type, balancer.scheme, balancer.ip_address_type, groups, subnets)


def _asked_for(view: View, call: Call, request: Members) -> Sequence[LoadBalancer]:
    arns, wanted = request.get("LoadBalancerArns"), request.get("Names")
    if arns and wanted:
        raise errors.validation(
            "Load balancer names and load balancer ARNs cannot be specified at the same time"
        )
    if arns:
        return _ordered(references.load_balancer(view, call, arn) for arn in arns)
    if wanted:
        return _ordered(_named(view, call, name) for name in wanted)
    return view.scan(LOAD_BALANCERS, call.scope)


def _ordered(balancers: Iterable[LoadBalancer]) -> Sequence[LoadBalancer]:
    return sorted({each.path: each for each in balancers}.values(), key=lambda each: each.path)


def _named(view: View, call: Call, name: str) -> LoadBalancer:
    found = view.find(LOAD_BALANCERS, call.scope, "name", (name,))
    if not found:
        raise errors.load_balancer_not_found()
    return found[0]
