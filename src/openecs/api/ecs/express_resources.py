"""What ECS made for an Express service, as its revisions tell.

API Reference, ``ECSManagedResources``.
"""

from __future__ import annotations

from openecs.api.base import Members
from openecs.api.ecs import express_alarms, express_scaling
from openecs.model.express import ExpressGateway
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import (
    SERVICE,
    LoadBalancer,
    LoadBalancerState,
    LoadBalancerStateCode,
    TargetGroup,
)
from openecs.model.services import ServiceRevision
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import View
from openecs.store.kinds import (
    EXPRESS_GATEWAYS,
    LOAD_BALANCER_STATES,
    LOAD_BALANCERS,
    SERVICES,
    TARGET_GROUPS,
    part_key,
    service_key,
)

_STATUSES = {
    LoadBalancerStateCode.PROVISIONING: "PROVISIONING",
    LoadBalancerStateCode.FAILED: "FAILED",
}


def show(view: View, revision: ServiceRevision) -> Members | None:
    """What is there for a revision; None unless it is of an Express service that is there."""
    key = service_key(revision.cluster, revision.service)
    service = view.get(SERVICES, revision.scope, key)
    if revision.express is None or service is None or service.express_gateway is None:
        return None
    key = part_key(service.cluster, service.name, service.express_gateway)
    gateway = view.get(EXPRESS_GATEWAYS, revision.scope, key)
    if gateway is None:
        return None
    return {
        "ingressPaths": [_ingress_path(view, revision, gateway)],
        "autoScaling": _auto_scaling(view, gateway),
        "metricAlarms": [
            _active(gateway, gateway.scope.arn("cloudwatch", f"alarm:{name}"))
            for name in _alarms(view, gateway)
        ],
        "serviceSecurityGroups": [_security_group(gateway, gateway.security_group_id)],
        "logGroups": _log_groups(gateway),
    }


def trouble(view: View, gateway: ExpressGateway) -> str | None:
    """Why the load balancer does not answer where it should."""
    balancer = _balancer(view, gateway)
    state = _state(view, balancer) if balancer else None
    return state.reason if state else None


def _ingress_path(view: View, revision: ServiceRevision, gateway: ExpressGateway) -> Members:
    balancer = _balancer(view, gateway)
    rule = parse_arn(gateway.listener_rule_arn)
    listener = rule.resource.removeprefix("listener-rule/").rpartition("/")[0] if rule else ""
    groups = balancer.security_groups if balancer else ()
    port = next((each.container_port for each in revision.load_balancers), None)
    return {
        "accessType": str(gateway.access_type),
        "endpoint": gateway.host,
        "loadBalancer": _load_balancer(view, balancer) if balancer else None,
        "loadBalancerSecurityGroups": [_security_group(gateway, each) for each in groups],
        "certificate": {**_active(gateway, gateway.certificate_arn), "domainName": gateway.host},
        "listener": _active(
            gateway,
            gateway.scope.arn(SERVICE, f"listener/{listener}"),
        ),
        "rule": _active(gateway, gateway.listener_rule_arn),
        "targetGroups": [
            _target_group(gateway, each, port)
            for each in view.scan(TARGET_GROUPS, gateway.scope)
            if each.arn in gateway.target_group_arns
        ],
    }


def _auto_scaling(view: View, gateway: ExpressGateway) -> Members | None:
    """The scalable target and its policy, where nobody has taken them away."""
    target, policy = express_scaling.found(view, gateway)
    if target is None:
        return None
    return {
        "scalableTarget": {
            **_active(gateway, target.arn),
            "minCapacity": target.minimum,
            "maxCapacity": target.maximum,
        },
        "applicationAutoScalingPolicies": [
            {
                **_active(gateway, each.arn),
                "policyType": "TargetTrackingScaling",
                "targetValue": each.tracking.target,
                "metric": each.tracking.predefined,
            }
            for each in (policy,)
            if each is not None and each.tracking is not None
        ],
    }


def _alarms(view: View, gateway: ExpressGateway) -> tuple[str, ...]:
    """That of its deployments and those of its policy, where they are still there."""
    _, policy = express_scaling.found(view, gateway)
    made = (express_alarms.name(gateway), *(policy.alarms if policy else ()))
    return tuple(each for each in made if view.get(METRIC_ALARMS, gateway.scope, each))


def _log_groups(gateway: ExpressGateway) -> list[Members]:
    if gateway.log_group is None:
        return []
    arn = gateway.scope.arn("logs", f"log-group:{gateway.log_group}")
    return [{**_active(gateway, arn), "logGroupName": gateway.log_group}]


def _active(gateway: ExpressGateway, arn: str) -> Members:
    return {"arn": arn, "status": "ACTIVE", "updatedAt": gateway.updated_at}


def _balancer(view: View, gateway: ExpressGateway) -> LoadBalancer | None:
    arn = parse_arn(gateway.load_balancer_arn)
    path = arn.resource.removeprefix("loadbalancer/") if arn else ""
    return view.get(LOAD_BALANCERS, gateway.scope, path)


def _state(view: View, balancer: LoadBalancer) -> LoadBalancerState | None:
    return view.get(LOAD_BALANCER_STATES, balancer.scope, balancer.path)


def _load_balancer(view: View, balancer: LoadBalancer) -> Members:
    state = _state(view, balancer)
    code = state.code if state else LoadBalancerStateCode.PROVISIONING
    return {
        "arn": balancer.arn,
        "status": _STATUSES.get(code, "ACTIVE"),
        "statusReason": state.reason if state else None,
        "updatedAt": balancer.created_at,
        "scheme": str(balancer.scheme),
        "subnetIds": [each.subnet_id for each in balancer.subnets],
        "securityGroupIds": list(balancer.security_groups),
    }


def _target_group(gateway: ExpressGateway, group: TargetGroup, port: int | None) -> Members:
    return {
        **_active(gateway, group.arn),
        "healthCheckPath": group.health_check.path,
        "healthCheckPort": port,
        "port": port,
    }


def _security_group(gateway: ExpressGateway, name: str) -> Members:
    return _active(gateway, gateway.scope.arn("ec2", f"security-group/{name}"))
