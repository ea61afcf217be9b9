"""Load balancers, their listeners and rules, target groups, targets and how these fare.

What is stored is what was asked for; attributes are stored where they were set, their defaults are
the business of who shows or uses them. What others find out (a load balancer's state, a target's
health) is a resource of its own, so that each has one writer.
Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import Scope

SERVICE = "elasticloadbalancing"


class LoadBalancerType(StrEnum):
    """Application (HTTP), network (TCP, UDP, TLS) or gateway."""

    APPLICATION = "application"
    NETWORK = "network"
    GATEWAY = "gateway"

    @property
    def path(self) -> str:
        """The word in ARNs: ``app``, ``net``, ``gwy``."""
        return {"application": "app", "network": "net", "gateway": "gwy"}[self]


class Scheme(StrEnum):
    """Whom it is for."""

    INTERNET_FACING = "internet-facing"
    INTERNAL = "internal"


class LoadBalancerStateCode(StrEnum):
    """What its data plane says; ``provisioning`` until it has said anything."""

    PROVISIONING = "provisioning"
    ACTIVE = "active"
    ACTIVE_IMPAIRED = "active_impaired"
    FAILED = "failed"


class TargetType(StrEnum):
    """What the id of a target is."""

    INSTANCE = "instance"
    IP = "ip"
    LAMBDA = "lambda"
    ALB = "alb"


class TargetState(StrEnum):
    """How a target fares; ``unused`` and ``draining`` come before what checks have found."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNHEALTHY_DRAINING = "unhealthy.draining"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetMapping:
    """A subnet it stands in, and the addresses asked for there."""

    subnet_id: str
    availability_zone: str
    allocation_id: str | None = None
    private_ipv4_address: str | None = None
    ipv6_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """A load balancer; ``path`` (``app/NAME/ID``) is its key and names it in ARNs and metrics."""

    scope: Scope
    name: str
    #: 16 hexadecimal digits.
    id: str
    type: LoadBalancerType
    scheme: Scheme
    ip_address_type: str
    vpc_id: str
    subnets: tuple[SubnetMapping, ...]
    security_groups: tuple[str, ...] = ()
    dns_name: str
    #: The loopback address that is its own on this machine: ``127.x.y.z``.
    loopback_address: str
    created_at: datetime
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``app/NAME/ID``."""
        return f"{self.type.path}/{self.name}/{self.id}"

    @property
    def arn(self) -> str:
        """``arn:aws:elasticloadbalancing:R:A:loadbalancer/app/NAME/ID``."""
        return self.scope.arn(SERVICE, f"loadbalancer/{self.path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerState:
    """What the data plane found out about a load balancer; written by the edge alone."""

    scope: Scope
    #: The load balancer's path.
    load_balancer: str
    code: LoadBalancerStateCode
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedTargetGroup:
    """A target group of a forward action, by its ARN, and its share (0 to 999)."""

    target_group_arn: str
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardAction:
    """To one of several target groups, by weight."""

    target_groups: tuple[WeightedTargetGroup, ...]
    stickiness_enabled: bool = False
    stickiness_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectAction:
    """Where the client is sent, with AWS's placeholders (``#{host}``); all five parts filled in."""

    status_code: str
    protocol: str = "#{protocol}"
    port: str = "#{port}"
    host: str = "#{host}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedResponseAction:
    """An answer of the load balancer's own."""

    status_code: str
    content_type: str | None = None
    message_body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcAction:
    """Authentication by an OpenID Connect provider, before the last action."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    user_info_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    session_cookie_name: str = "AWSELBAuthSessionCookie"
    scope: str = "openid"
    session_timeout: int = 604800
    extra_parameters: dict[str, str] = field(default_factory=dict)
    on_unauthenticated_request: str = "authenticate"

    @property
    def client(self) -> tuple[str, ...]:
        """What a login is for: who comes back from one has begun it under the same."""
        return (self.token_endpoint, self.client_id, self.session_cookie_name, self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a token must say of ``name``, in one of AWS's forms."""

    name: str
    #: ``single-string``, ``string-array`` or ``space-separated-values``.
    format: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtAction:
    """Tokens that requests must have, before the last action."""

    jwks_endpoint: str
    issuer: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step of what is done with a request: exactly the member that ``type`` names is there."""

    #: ``forward``, ``redirect``, ``fixed-response``, ``authenticate-oidc`` or ``jwt-validation``.
    type: str
    #: None where it was not given and there is only one.
    order: int | None = None
    forward: ForwardAction | None = None
    redirect: RedirectAction | None = None
    fixed_response: FixedResponseAction | None = None
    oidc: OidcAction | None = None
    jwt: JwtAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPair:
    """A value a query string has, under a key where one is given."""

    value: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a request must have: any of ``values`` (``regex_values``, ``query``) in ``field``."""

    #: ``host-header``, ``path-pattern``, ``http-header``, ``query-string``,
    #: ``http-request-method`` or ``source-ip``.
    field: str
    values: tuple[str, ...] = ()
    regex_values: tuple[str, ...] = ()
    #: Of ``http-header``.
    header_name: str | None = None
    #: Of ``query-string``.
    query: tuple[QueryPair, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A pattern and what takes its place."""

    regex: str
    replace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A change to the request before it goes on: ``host-header-rewrite`` or ``url-rewrite``."""

    type: str
    rewrites: tuple[Rewrite, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualAuthentication:
    """Whether clients show certificates: ``off``, ``passthrough`` or ``verify``."""

    mode: str = "off"
    trust_store_arn: str | None = None
    ignore_client_certificate_expiry: bool | None = None
    advertise_trust_store_ca_names: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A port of a load balancer and what is done with what comes there by default."""

    scope: Scope
    #: The load balancer's path.
    load_balancer: str
    #: 16 hexadecimal digits.
    id: str
    #: ``HTTP``, ``HTTPS``, ``TCP``, ``TLS``, ``UDP``, ``TCP_UDP``.
    protocol: str
    port: int
    default_actions: tuple[Action, ...]
    ssl_policy: str | None = None
    #: ARNs: the default one first.
    certificates: tuple[str, ...] = ()
    alpn_policy: tuple[str, ...] = ()
    mutual_authentication: MutualAuthentication | None = None
    created_at: datetime
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``app/NAME/LBID/ID``: its key."""
        return f"{self.load_balancer}/{self.id}"

    @property
    def arn(self) -> str:
        """``arn:aws:elasticloadbalancing:R:A:listener/app/NAME/LBID/ID``."""
        return self.scope.arn(SERVICE, f"listener/{self.path}")

    @property
    def forwarding(self) -> tuple[Action, ...]:
        """What it does with a request that no rule is for: as ``Rule.forwarding``."""
        return self.default_actions

    @property
    def default_rule_arn(self) -> str:
        """The ARN of the rule that stands for its default actions."""
        name = hashlib.sha256(self.arn.encode()).hexdigest()[:16]
        return self.scope.arn(SERVICE, f"listener-rule/{self.path}/{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is done with requests of a listener that meet all conditions. Default ones are none."""

    scope: Scope
    #: The listener's path.
    listener: str
    #: 16 hexadecimal digits.
    id: str
    #: 1 to 50000, the lowest first.
    priority: int
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    transforms: tuple[Transform, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``app/NAME/LBID/LISTENERID/ID``: its key."""
        return f"{self.listener}/{self.id}"

    @property
    def arn(self) -> str:
        """``arn:aws:elasticloadbalancing:R:A:listener-rule/app/NAME/LBID/LISTENERID/ID``."""
        return self.scope.arn(SERVICE, f"listener-rule/{self.path}")

    @property
    def forwarding(self) -> tuple[Action, ...]:
        """What it does with a request: as ``Listener.forwarding``."""
        return self.actions


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealthCheck:
    """How targets are checked. Seconds."""

    enabled: bool = True
    #: ``HTTP``, ``HTTPS``, ``TCP``.
    protocol: str
    #: A number, or ``traffic-port``.
    port: str = "traffic-port"
    path: str | None = None
    interval: int = 30
    timeout: int = 5
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    #: ``200``, ``200-399``, ``200,202``: of HTTP and HTTPS checks.
    http_codes: str | None = None
    #: The same of gRPC.
    grpc_codes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """Where requests go: targets of one kind, and how they are checked."""

    scope: Scope
    name: str
    #: 16 hexadecimal digits.
    id: str
    target_type: TargetType
    #: None for lambda.
    protocol: str | None
    #: ``HTTP1``, ``HTTP2``, ``GRPC``: of HTTP and HTTPS.
    protocol_version: str | None = None
    port: int | None = None
    vpc_id: str | None = None
    ip_address_type: str = "ipv4"
    health_check: TargetHealthCheck
    created_at: datetime
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``NAME/ID``: its key."""
        return f"{self.name}/{self.id}"

    @property
    def arn(self) -> str:
        """``arn:aws:elasticloadbalancing:R:A:targetgroup/NAME/ID``."""
        return self.scope.arn(SERVICE, f"targetgroup/{self.path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A registration. It stays, draining, for the deregistration delay after its end."""

    scope: Scope
    #: The target group's path.
    target_group: str
    #: An instance id or an address, as ``target_type`` says.
    id: str
    port: int
    #: Where packets go: the address itself, or that of the instance's machine.
    address: str
    availability_zone: str | None = None
    registered_at: datetime
    #: From when on it takes no new requests.
    draining_since: datetime | None = None
    #: When its delay is over and it is to be removed.
    drained_at: datetime | None = None
    #: The key of the ECS task that serves it; None for what a user registered.
    task: str | None = None

    @property
    def key(self) -> str:
        """``NAME/ID/TARGETID:PORT``."""
        return target_key(self.target_group, self.id, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """What checks have found of a registered target; written by the health loop alone."""

    scope: Scope
    target_group: str
    #: The target's.
    id: str
    port: int
    state: TargetState
    #: ``Target.Timeout``; None when healthy.
    reason: str | None = None
    description: str | None = None
    #: The registration it is about: a later one of the same target starts anew.
    registered_at: datetime


def target_key(target_group: str, target_id: str, port: int) -> str:
    """The key of a target and of its health."""
    return f"{target_group}/{target_id}:{port}"
