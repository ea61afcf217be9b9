"""How traffic leaves a subnet: Amazon EC2's route tables, gateways, addresses and network ACLs.

Amazon EC2 API Reference, ``RouteTable``, ``InternetGateway``, ``NatGateway``, ``Address``,
``NetworkAcl``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where what is for ``destination`` (a CIDR) goes: ``local``, ``igw-...`` or ``nat-...``."""

    destination: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTableAssociation:
    """A subnet that a route table is used by; no subnet: the VPC's main table."""

    #: ``rtbassoc-`` and 17 hexadecimal digits.
    id: str
    subnet_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """The routes of the subnets associated with it; the local one is a VPC's and not among them."""

    scope: Scope
    #: ``rtb-`` and 17 hexadecimal digits.
    id: str
    vpc_id: str
    routes: tuple[Route, ...] = ()
    associations: tuple[RouteTableAssociation, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_main(self) -> bool:
        """Whether subnets without a table of their own use this one."""
        return any(one.subnet_id is None for one in self.associations)


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetGateway:
    """A VPC's way to the internet, attached to one VPC at most."""

    scope: Scope
    #: ``igw-`` and 17 hexadecimal digits.
    id: str
    vpc_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NatGateway:
    """A way out for subnets that cannot be reached from outside."""

    scope: Scope
    #: ``nat-`` and 17 hexadecimal digits.
    id: str
    vpc_id: str
    subnet_id: str
    created_at: datetime
    private_ip: str
    #: ``eni-`` and 17 hexadecimal digits.
    network_interface_id: str
    #: ``public`` or ``private``.
    connectivity: str = "public"
    allocation_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An elastic address; it belongs to a NAT gateway while one was made with it."""

    scope: Scope
    #: ``eipalloc-`` and 17 hexadecimal digits.
    id: str
    public_ip: str
    association_id: str | None = None
    nat_gateway_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAclEntry:
    """One numbered rule of a network ACL; AWS's protocol numbers, ``-1`` for all."""

    number: int
    is_egress: bool
    allows: bool
    protocol: str = "-1"
    cidr: str | None = None
    cidr_ipv6: str | None = None
    from_port: int | None = None
    to_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAcl:
    """Numbered rules for what enters and leaves subnets.

    A VPC's default one is that of every subnet that is in no other's ``subnets``.
    """

    scope: Scope
    #: ``acl-`` and 17 hexadecimal digits.
    id: str
    vpc_id: str
    entries: tuple[NetworkAclEntry, ...] = ()
    is_default: bool = True
    #: Ids of the subnets that use this one, not the default one.
    subnets: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
