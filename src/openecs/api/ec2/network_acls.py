"""Network ACLs: Amazon EC2 API Reference, ``CreateNetworkAcl`` and its neighbours.

They are records: no packet is dropped by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, ranges, tagging, vpcs
from openecs.api.ec2.describing import Listing
from openecs.decide.default_network import closed_entries
from openecs.model.identity import Scope
from openecs.model.network import Subnet
from openecs.model.routing import NetworkAcl, NetworkAclEntry
from openecs.store.base import Transaction, View
from openecs.store.kinds import NETWORK_ACLS

LISTING = Listing(
    answer="NetworkAcls",
    id="NetworkAclId",
    ids="NetworkAclIds",
    paths={
        "association.association-id": "Associations.NetworkAclAssociationId",
        "association.network-acl-id": "Associations.NetworkAclId",
        "association.subnet-id": "Associations.SubnetId",
        "default": "IsDefault",
        "entry.cidr": "Entries.CidrBlock",
        "entry.egress": "Entries.Egress",
        "entry.protocol": "Entries.Protocol",
        "entry.rule-action": "Entries.RuleAction",
        "entry.rule-number": "Entries.RuleNumber",
        "network-acl-id": "NetworkAclId",
        "owner-id": "OwnerId",
        "vpc-id": "VpcId",
    },
    missing=("InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist"),
)
#: The entry that refuses what no other allows is there for ever.
_LAST = 32766


def create_network_acl(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateNetworkAcl``: used by no subnet yet, and lets nothing through."""
    vpc = vpcs.existing(tx, call.scope, request["VpcId"])
    acl = NetworkAcl(
        scope=call.scope,
        id=tagging.new_id(call, "acl"),
        vpc_id=vpc.id,
        entries=closed_entries(),
        is_default=False,
        tags=tagging.given(request, "network-acl"),
    )
    network.write_down(tx, call.scope)
    tx.put(NETWORK_ACLS, acl)
    return {"NetworkAcl": _shown(acl, ()), "ClientToken": request.get("ClientToken")}


def delete_network_acl(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteNetworkAcl``: not a VPC's default one, and none that a subnet uses."""
    acl = _existing(tx, call.scope, request["NetworkAclId"])
    if acl.is_default:
        text = f"Cannot delete default network ACL {acl.id}"
        raise ServiceError("InvalidParameterValue", text)
    if acl.subnets:
        text = f"The networkAcl '{acl.id}' has dependencies and cannot be deleted."
        raise ServiceError("DependencyViolation", text)
    tx.delete(NETWORK_ACLS, call.scope, acl.id)
    return {}


def describe_network_acls(view: View, call: Call, request: Members) -> Members:
    """``DescribeNetworkAcls``."""
    subnets = network.subnets(view, call.scope)
    found = network.network_acls(view, call.scope)
    elsewhere = {name for one in found for name in one.subnets}
    return LISTING.describe(
        request, [_shown(one, _users(one, subnets, elsewhere)) for one in found]
    )


def create_network_acl_entry(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateNetworkAclEntry``: ``NetworkAclEntryAlreadyExists`` where its number is taken."""
    acl = _existing(tx, call.scope, request["NetworkAclId"])
    entry = _asked(request)
    if _has(acl, entry.number, is_egress=entry.is_egress):
        text = f"The network acl entry identified by {entry.number} already exists."
        raise ServiceError("NetworkAclEntryAlreadyExists", text)
    network.write_down(tx, call.scope)
    tx.put(NETWORK_ACLS, replace(acl, entries=(*acl.entries, entry)))
    return {}


def delete_network_acl_entry(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteNetworkAclEntry``: ``InvalidNetworkAclEntry.NotFound`` where there is none."""
    acl = _existing(tx, call.scope, request["NetworkAclId"])
    left = _without(acl, request["RuleNumber"], is_egress=request["Egress"])
    network.write_down(tx, call.scope)
    tx.put(NETWORK_ACLS, replace(acl, entries=left))
    return {}


def replace_network_acl_entry(tx: Transaction, call: Call, request: Members) -> Members:
    """``ReplaceNetworkAclEntry``: ``InvalidNetworkAclEntry.NotFound`` where there is none."""
    acl = _existing(tx, call.scope, request["NetworkAclId"])
    entry = _asked(request)
    left = _without(acl, entry.number, is_egress=entry.is_egress)
    network.write_down(tx, call.scope)
    tx.put(NETWORK_ACLS, replace(acl, entries=(*left, entry)))
    return {}


def replace_network_acl_association(tx: Transaction, call: Call, request: Members) -> Members:
    """``ReplaceNetworkAclAssociation``: the subnet uses another ACL of its VPC from now on."""
    acl = _existing(tx, call.scope, request["NetworkAclId"])
    name = request["AssociationId"]
    subnets = network.subnets(tx, call.scope)
    subnet = next((one for one in subnets if association(one) == name), None)
    if subnet is None:
        text = f"The association ID '{name}' does not exist"
        raise ServiceError("InvalidAssociationID.NotFound", text)
    if subnet.vpc_id != acl.vpc_id:
        text = f"Network ACL {acl.id} and subnet {subnet.id} belong to different networks"
        raise ServiceError("InvalidParameterValue", text)
    network.write_down(tx, call.scope)
    leave(tx, subnet)
    if not acl.is_default:
        changed = _existing(tx, call.scope, acl.id)
        tx.put(NETWORK_ACLS, replace(changed, subnets=(*changed.subnets, subnet.id)))
    return {"NewAssociationId": name}


def leave(tx: Transaction, subnet: Subnet) -> None:
    """Let the subnet use its VPC's default ACL."""
    for one in tx.scan(NETWORK_ACLS, subnet.scope):
        if subnet.id in one.subnets:
            left = tuple(name for name in one.subnets if name != subnet.id)
            tx.put(NETWORK_ACLS, replace(one, subnets=left))


def _existing(view: View, scope: Scope, acl_id: str) -> NetworkAcl:
    for one in network.network_acls(view, scope):
        if one.id == acl_id:
            return one
    raise LISTING.unknown(acl_id)


def _without(acl: NetworkAcl, number: int, *, is_egress: bool) -> tuple[NetworkAclEntry, ...]:
    if number > _LAST or not _has(acl, number, is_egress=is_egress):
        text = f"The network acl entry identified by {number} does not exist."
        raise ServiceError("InvalidNetworkAclEntry.NotFound", text)
    return tuple(one for one in acl.entries if (one.number, one.is_egress) != (number, is_egress))


def _has(acl: NetworkAcl, number: int, *, is_egress: bool) -> bool:
    return any((one.number, one.is_egress) == (number, is_egress) for one in acl.entries)


def _asked(request: Members) -> NetworkAclEntry:
    number = request["RuleNumber"]
    if not 1 <= number <= _LAST:
        text = f"Value ({number}) for parameter ruleNumber is invalid."
        raise ServiceError("InvalidParameterValue", text)
    cidr, cidr_ipv6 = request.get("CidrBlock"), request.get("Ipv6CidrBlock")
    if (cidr is None) is (cidr_ipv6 is None):
        text = "The request must contain exactly one of cidrBlock and ipv6CidrBlock"
        raise ServiceError("MissingParameter", text)
    ports, icmp = request.get("PortRange") or {}, request.get("IcmpTypeCode") or {}
    return NetworkAclEntry(
        number=number,
        is_egress=request["Egress"],
        allows=request["RuleAction"] == "allow",
        protocol=request["Protocol"],
        cidr=str(ranges.read(cidr)) if cidr else None,
        cidr_ipv6=ranges.read_ipv6(cidr_ipv6) if cidr_ipv6 else None,
        from_port=ports.get("From"),
        to_port=ports.get("To"),
        icmp_type=icmp.get("Type"),
        icmp_code=icmp.get("Code"),
    )


def _users(acl: NetworkAcl, subnets: Sequence[Subnet], elsewhere: set[str]) -> list[Subnet]:
    if not acl.is_default:
        return [one for one in subnets if one.id in acl.subnets]
    return [one for one in subnets if one.vpc_id == acl.vpc_id and one.id not in elsewhere]


def association(subnet: Subnet) -> str:
    """The id of the association of a subnet with its ACL."""
    return f"aclassoc-{subnet.id.removeprefix('subnet-')}"


def _shown(acl: NetworkAcl, subnets: Sequence[Subnet]) -> Members:
    return {
        "NetworkAclId": acl.id,
        "VpcId": acl.vpc_id,
        "OwnerId": acl.scope.account,
        "IsDefault": acl.is_default,
        "Associations": [
            {
                "NetworkAclAssociationId": association(one),
                "NetworkAclId": acl.id,
                "SubnetId": one.id,
            }
            for one in subnets
        ],
        "Entries": [
            _shown_entry(one)
            for one in sorted(acl.entries, key=lambda one: (not one.is_egress, one.number))
        ],
        "Tags": tagging.shown(acl.tags),
    }


def _shown_entry(entry: NetworkAclEntry) -> Members:
    ports = {"From": entry.from_port, "To": entry.to_port}
    icmp = {"Type": entry.icmp_type, "Code": entry.icmp_code}
    return {
        "CidrBlock": entry.cidr,
        "Ipv6CidrBlock": entry.cidr_ipv6,
        "Egress": entry.is_egress,
        "Protocol": entry.protocol,
        "RuleAction": "allow" if entry.allows else "deny",
        "RuleNumber": entry.number,
        "PortRange": ports if entry.from_port is not None else None,
        "IcmpTypeCode": icmp if entry.icmp_type is not None else None,
    }
