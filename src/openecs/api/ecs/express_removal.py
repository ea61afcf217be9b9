"""Taking away what was made for an Express service, once its tasks are gone.

What somebody uses for something else stays, as it does where AWS is refused the deletion. Task
definitions stay too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from openecs.api.acm.certificates import delete_certificate
from openecs.api.base import Call, Members, ServiceError
from openecs.api.cloudwatch.alarms import delete_alarms
from openecs.api.ec2.security_groups import delete_security_group
from openecs.api.ecs import express_alarms
from openecs.api.elbv2.listener_certificates import remove_listener_certificates
from openecs.api.elbv2.listeners import modify_listener
from openecs.api.elbv2.load_balancers import delete_load_balancer
from openecs.api.elbv2.rules import delete_rule
from openecs.api.elbv2.target_groups import delete_target_group
from openecs.model.express import ExpressGateway
from openecs.model.load_balancing import Listener, LoadBalancer
from openecs.model.services import ServiceStatus
from openecs.model.tasks import TaskStatus
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import Transaction, View
from openecs.store.kinds import (
    EXPRESS_GATEWAYS,
    LISTENERS,
    LOAD_BALANCERS,
    SERVICES,
    TASKS,
    service_key,
)

Step = tuple[Callable[[Transaction, Call, Members], Members], Mapping[str, object]]


def is_over(view: View, gateway: ExpressGateway) -> bool:
    """Whether the service was deleted, and its last task has stopped."""
    if gateway.left_at is None:
        return False
    key = service_key(gateway.cluster, gateway.service)
    service = view.get(SERVICES, gateway.scope, key)
    is_its_own = service is not None and service.express_gateway == gateway.id
    if service is not None and is_its_own and service.status is not ServiceStatus.INACTIVE:
        return False
    tasks = view.find(TASKS, gateway.scope, "service", (gateway.cluster, gateway.service))
    return all(
        task.last_status is TaskStatus.STOPPED
        for task in tasks
        if task.created_at <= gateway.left_at
    )


def dismantle(tx: Transaction, call: Call, gateway: ExpressGateway) -> Sequence[str]:
    """Remove it all, the load balancer with its last service; why some of it stays."""
    key = EXPRESS_GATEWAYS.key(gateway)
    complaints = []
    for operation, request in [*_steps(tx, gateway)]:
        try:
            operation(tx, call, request)
        except ServiceError as error:
            complaints.append(str(error))
    tx.delete(EXPRESS_GATEWAYS, gateway.scope, key)
    return complaints


def _steps(view: View, gateway: ExpressGateway) -> Iterator[Step]:
    """The deletions in their order, each by its own operation."""
    balancer = _balancer(view, gateway)
    others = view.scan(EXPRESS_GATEWAYS, gateway.scope)
    is_last = not any(
        each.id != gateway.id and each.load_balancer_arn == gateway.load_balancer_arn
        for each in others
    )
    alarm = express_alarms.name(gateway)
    if view.get(METRIC_ALARMS, gateway.scope, alarm) is not None:
        yield delete_alarms, {"AlarmNames": [alarm]}
    yield delete_rule, {"RuleArn": gateway.listener_rule_arn}
    if balancer is not None and is_last:
        yield delete_load_balancer, {"LoadBalancerArn": balancer.arn}
    elif balancer is not None:
        yield from _hidden(view, balancer, gateway.certificate_arn)
    for arn in gateway.target_group_arns:
        yield delete_target_group, {"TargetGroupArn": arn}
    yield delete_certificate, {"CertificateArn": gateway.certificate_arn}
    yield delete_security_group, {"GroupId": gateway.security_group_id}
    if balancer is not None and is_last:
        for group in balancer.security_groups:
            yield delete_security_group, {"GroupId": group}


def _balancer(view: View, gateway: ExpressGateway) -> LoadBalancer | None:
    found = view.scan(LOAD_BALANCERS, gateway.scope)
    return next((each for each in found if each.arn == gateway.load_balancer_arn), None)


def _hidden(view: View, balancer: LoadBalancer, certificate: str) -> Iterator[Step]:
    """Have the listeners of a load balancer show a certificate no more."""
    for listener in view.scan(LISTENERS, balancer.scope, prefix=f"{balancer.path}/"):
        if certificate in listener.certificates:
            yield _without(listener, certificate)


def _without(listener: Listener, certificate: str) -> Step:
    default, *others = listener.certificates
    shown = {"ListenerArn": listener.arn}
    if certificate == default and others:
        return modify_listener, {**shown, "Certificates": [{"CertificateArn": others[0]}]}
    return remove_listener_certificates, {
        **shown,
        "Certificates": [{"CertificateArn": certificate}],
    }
