"""The network that load balancers and awsvpc tasks stand in: Amazon EC2's nouns, as far as needed.

Amazon EC2 API Reference, ``Vpc``, ``Subnet``, ``SecurityGroup``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope

#: What a VPC has that was given no DHCP options: the engine's name servers.
DEFAULT_DHCP_OPTIONS = "default"
#: The name servers of the VPC itself, by name.
AMAZON_PROVIDED_DNS = "AmazonProvidedDNS"


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpOptions:
    """What hosts in a VPC are told of name servers and their like."""

    scope: Scope
    #: ``dopt-`` and 17 hexadecimal digits.
    id: str
    #: ``domain-name-servers`` and others, with their values.
    configurations: dict[str, tuple[str, ...]]
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name_servers(self) -> tuple[str, ...]:
        """The addresses of name servers; none: those of the engine."""
        servers = self.configurations.get("domain-name-servers", ())
        return tuple(each for each in servers if each != AMAZON_PROVIDED_DNS)

    @property
    def search_domains(self) -> tuple[str, ...]:
        """The domains of names without one; several stand in one value, as Linux takes them."""
        return tuple(w for v in self.configurations.get("domain-name", ()) for w in v.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """A virtual network with an address range (``172.31.0.0/16``)."""

    scope: Scope
    #: ``vpc-`` and 17 hexadecimal digits.
    id: str
    cidr: str
    is_default: bool = False
    dns_support: bool = True
    dns_hostnames: bool = False
    dhcp_options_id: str = DEFAULT_DHCP_OPTIONS
    instance_tenancy: str = "default"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A part of a VPC's range in one availability zone."""

    scope: Scope
    #: ``subnet-`` and 17 hexadecimal digits.
    id: str
    vpc_id: str
    cidr: str
    #: ``us-east-1a``.
    availability_zone: str
    default_for_az: bool = False
    map_public_ip_on_launch: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:ec2:R:A:subnet/ID``."""
        return self.scope.arn("ec2", f"subnet/{self.id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcEndpoint:
    """A gateway endpoint: the way from a VPC to a service of AWS's, as route tables name it."""

    scope: Scope
    #: ``vpce-`` and 17 hexadecimal digits.
    id: str
    vpc_id: str
    #: ``com.amazonaws.us-east-1.s3``.
    service_name: str
    created_at: datetime
    route_tables: tuple[str, ...] = ()
    #: As it was given; None: everybody may do everything.
    policy: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixListEntry:
    """One block of addresses of a prefix list."""

    cidr: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList:
    """Blocks of addresses that rules of security groups name together."""

    scope: Scope
    #: ``pl-`` and 17 hexadecimal digits.
    id: str
    name: str
    #: ``IPv4`` or ``IPv6``.
    address_family: str
    max_entries: int
    entries: tuple[PrefixListEntry, ...] = ()
    #: Counts the changes of the entries.
    version: int = 1
    is_modified: bool = False
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule:
    """One permission: a protocol (``tcp``, ``-1`` for all), ports, and one source or target."""

    #: ``sgr-`` and 17 hexadecimal digits.
    id: str
    is_egress: bool
    protocol: str
    from_port: int | None = None
    to_port: int | None = None
    cidr_ipv4: str | None = None
    cidr_ipv6: str | None = None
    prefix_list_id: str | None = None
    #: The id of another security group.
    referenced_group: str | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """What traffic may reach its members, and what they may reach."""

    scope: Scope
    #: ``sg-`` and 17 hexadecimal digits.
    id: str
    name: str
    description: str
    vpc_id: str
    rules: tuple[SecurityGroupRule, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStart:
    """That a region's default network has been written down, and is from then on like any other."""

    scope: Scope
