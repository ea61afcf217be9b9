"""What stands in front of an Express service: names as AWS gives them, each by its own operation.

A load balancer is shared by the Express services of the same subnets, 25 at most. Amazon ECS
Developer Guide, "Resources created by Amazon ECS Express Mode services".
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

from openecs.api.acm.requests import request_certificate
from openecs.api.base import Call, Members
from openecs.api.ec2 import network, security_group_rules
from openecs.api.ec2.security_groups import create_security_group
from openecs.api.ecs.express_network import Place
from openecs.api.elbv2.listener_certificates import add_listener_certificates
from openecs.api.elbv2.listeners import create_listener
from openecs.api.elbv2.load_balancers import create_load_balancer
from openecs.api.elbv2.rules import create_rule
from openecs.api.elbv2.target_groups import create_target_group, modify_target_group
from openecs.model.express import AccessType, ExpressGateway
from openecs.model.load_balancing import LoadBalancer, Scheme
from openecs.store.base import Transaction, View
from openecs.store.kinds import EXPRESS_GATEWAYS, LISTENERS, LOAD_BALANCERS, RULES

#: Express services of one load balancer.
SHARING = 25
PORT = 443
_MANAGED = [{"Key": "AmazonECSManaged", "Value": "true"}]
_NOT_FOUND = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"},
}

_authorize = security_group_rules.authorize(is_egress=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The service that is to be reached."""

    cluster: str
    service: str
    infrastructure_role_arn: str
    place: Place
    port: int
    health_check_path: str
    log_group: str | None


def build(tx: Transaction, call: Call, wanted: Wanted) -> ExpressGateway:
    """Make what the service needs, and take or make its load balancer."""
    identifier = call.ids.hex32()
    host = f"{_initials(wanted.service)}-{identifier}.ecs.{call.scope.region}.on.localhost"
    request = {"DomainName": host, "ValidationMethod": "DNS", "Tags": _MANAGED}
    certificate = request_certificate(tx, call, request)["CertificateArn"]
    balancer = _shared(tx, call, wanted.place) or _balancer(tx, call, wanted.place)
    listener = _listener(tx, call, balancer, certificate)
    groups = (_group(tx, call, wanted), _group(tx, call, wanted))
    gateway = ExpressGateway(
        scope=call.scope,
        cluster=wanted.cluster,
        service=wanted.service,
        id=identifier,
        infrastructure_role_arn=wanted.infrastructure_role_arn,
        host=host,
        access_type=wanted.place.access_type,
        vpc_id=wanted.place.vpc_id,
        load_balancer_arn=balancer.arn,
        listener_rule_arn=_rule(tx, call, listener, host, groups),
        target_group_arns=groups,
        certificate_arn=certificate,
        security_group_id=_service_group(tx, call, wanted, balancer),
        updated_at=call.now,
        log_group=wanted.log_group,
    )
    tx.put(EXPRESS_GATEWAYS, gateway)
    return gateway


def admit(tx: Transaction, call: Call, gateway: ExpressGateway, port: int) -> None:
    """Let the load balancer reach the tasks at another port too."""
    group = network.security_group(tx, call.scope, gateway.security_group_id)
    if group is None or any(rule.from_port == port for rule in group.rules if not rule.is_egress):
        return
    for each in tx.scan(LOAD_BALANCERS, call.scope):
        if each.arn == gateway.load_balancer_arn:
            _authorize(tx, call, {"GroupId": group.id, "IpPermissions": _from(each, port)})


def check_at(tx: Transaction, call: Call, group: str, path: str) -> None:
    """Have the targets of a target group checked at another path."""
    modify_target_group(tx, call, {"TargetGroupArn": group, "HealthCheckPath": path})


def served(gateway: ExpressGateway, port: int) -> list[Members]:
    """The load balancers of the ECS service, as CreateService takes them."""
    group, alternate = gateway.target_group_arns
    advanced = {
        "alternateTargetGroupArn": alternate,
        "productionListenerRule": gateway.listener_rule_arn,
        "roleArn": gateway.infrastructure_role_arn,
    }
    binding = {"targetGroupArn": group, "containerName": "Main", "containerPort": port}
    return [{**binding, "advancedConfiguration": advanced}]


def _initials(service: str) -> str:
    return "".join(letter if letter.isalnum() else "x" for letter in service[:2].lower())


def _shared(view: View, call: Call, place: Place) -> LoadBalancer | None:
    """A load balancer of other Express services that stands in the same subnets."""
    known = Counter(g.load_balancer_arn for g in view.scan(EXPRESS_GATEWAYS, call.scope))
    for balancer in view.scan(LOAD_BALANCERS, call.scope):
        alike = _subnets(balancer) == place.balanced and balancer.scheme is _scheme(place)
        if alike and 0 < known[balancer.arn] < SHARING:
            return balancer
    return None


def _subnets(balancer: LoadBalancer) -> tuple[str, ...]:
    return tuple(sorted(each.subnet_id for each in balancer.subnets))


def _scheme(place: Place) -> Scheme:
    is_public = place.access_type is AccessType.PUBLIC
    return Scheme.INTERNET_FACING if is_public else Scheme.INTERNAL


def _balancer(tx: Transaction, call: Call, place: Place) -> LoadBalancer:
    group = create_security_group(
        tx,
        call,
        {
            "GroupName": _group_name(tx, call),
            "Description": "Load balancer of Amazon ECS Express Mode services",
            "VpcId": place.vpc_id,
            **_group_tags(),
        },
    )["GroupId"]
    from_anywhere = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT}
    _authorize(tx, call, {"GroupId": group, **from_anywhere})
    name = f"ecs-express-gateway-alb-{call.ids.hex32()[-8:]}"
    request = {
        "Name": name,
        "Subnets": list(place.balanced),
        "SecurityGroups": [group],
        "Scheme": str(_scheme(place)),
        "Tags": _MANAGED,
    }
    create_load_balancer(tx, call, request)
    return tx.find(LOAD_BALANCERS, call.scope, "name", (name,))[0]


def _group_name(view: View, call: Call) -> str:
    """A name by the time, in milliseconds, which two calls may have in common."""
    taken = {each.name for each in network.security_groups(view, call.scope)}
    times = itertools.count(int(call.now.timestamp() * 1000))
    names = (f"ecs-express-gateway-alb-sg-{time}" for time in times)
    return next(name for name in names if name not in taken)


def _listener(tx: Transaction, call: Call, balancer: LoadBalancer, certificate: str) -> str:
    """The listener of the load balancer, which shows the certificate."""
    shown = [{"CertificateArn": certificate}]
    for each in tx.scan(LISTENERS, call.scope, prefix=f"{balancer.path}/"):
        if each.port == PORT:
            request: Members = {"ListenerArn": each.arn, "Certificates": shown}
            add_listener_certificates(tx, call, request)
            return each.arn
    request = {
        "LoadBalancerArn": balancer.arn,
        "Protocol": "HTTPS",
        "Port": PORT,
        "Certificates": shown,
        "DefaultActions": [_NOT_FOUND],
        "Tags": _MANAGED,
    }
    listener: str = create_listener(tx, call, request)["Listeners"][0]["ListenerArn"]
    return listener


def _group(tx: Transaction, call: Call, wanted: Wanted) -> str:
    request = {
        "Name": f"ecs-gateway-tg-{call.ids.hex32()[-17:]}",
        "Protocol": "HTTP",
        "Port": wanted.port,
        "VpcId": wanted.place.vpc_id,
        "TargetType": "ip",
        "HealthCheckPath": wanted.health_check_path,
        "Tags": _MANAGED,
    }
    made: str = create_target_group(tx, call, request)["TargetGroups"][0]["TargetGroupArn"]
    return made


def _rule(tx: Transaction, call: Call, listener: str, host: str, groups: tuple[str, str]) -> str:
    path = listener.partition("listener/")[2]
    taken = {rule.priority for rule in tx.scan(RULES, call.scope, prefix=f"{path}/")}
    weighted = [
        {"TargetGroupArn": arn, "Weight": weight}
        for arn, weight in zip(groups, (100, 0), strict=True)
    ]
    request = {
        "ListenerArn": listener,
        "Priority": next(each for each in range(1, len(taken) + 2) if each not in taken),
        "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}],
        "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
        "Tags": _MANAGED,
    }
    rule: str = create_rule(tx, call, request)["Rules"][0]["RuleArn"]
    return rule


def _service_group(tx: Transaction, call: Call, wanted: Wanted, balancer: LoadBalancer) -> str:
    """The security group of the tasks, which the load balancer may reach."""
    request = {
        "GroupName": f"{wanted.cluster}-{wanted.service}-{wanted.place.vpc_id}",
        "Description": f"Tasks of the Amazon ECS Express Mode service {wanted.service}",
        "VpcId": wanted.place.vpc_id,
        **_group_tags(),
    }
    group: str = create_security_group(tx, call, request)["GroupId"]
    _authorize(tx, call, {"GroupId": group, "IpPermissions": _from(balancer, wanted.port)})
    return group


def _from(balancer: LoadBalancer, port: int) -> list[Members]:
    sources = [{"GroupId": group} for group in balancer.security_groups]
    ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    return [{**ports, "UserIdGroupPairs": sources}]


def _group_tags() -> Members:
    return {"TagSpecifications": [{"ResourceType": "security-group", "Tags": _MANAGED}]}
