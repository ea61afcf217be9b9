"""Express Mode: one call makes a service, and all that it takes to reach it by HTTPS.

Everything is made by the operations that users have, in one transaction; the loops run it as they
run any service. API Reference, ``CreateExpressGatewayService`` and its neighbours.
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ecs import (
    clusters,
    errors,
    express_alarms,
    express_ingress,
    express_logs,
    express_network,
    express_requests,
    express_scaling,
    express_views,
    references,
    services,
)
from openecs.model.clusters import Cluster, ClusterStatus
from openecs.model.express import ExpressConfiguration, ExpressGateway
from openecs.model.identity import parse_arn
from openecs.model.services import Service, ServiceRevision, ServiceStatus
from openecs.model.task_definitions import TaskDefinition
from openecs.store.base import Transaction, View
from openecs.store.kinds import (
    CLUSTERS,
    EXPRESS_GATEWAYS,
    SERVICE_REVISIONS,
    SERVICES,
    part_key,
    service_key,
)

#: Developer Guide, "Updating an Amazon ECS Express Mode service".
_DEPLOYMENT = {
    "strategy": "CANARY",
    "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 3},
    "bakeTimeInMinutes": 3,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}


def create_express_gateway_service(tx: Transaction, call: Call, request: Members) -> Members:
    """Create a service with its load balancer, certificate and task definition."""
    express_requests.check(request)
    cluster = _cluster(tx, call, request.get("cluster"))
    name = express_requests.name(call, request)
    _check_free(tx, call, cluster, name)
    configuration = express_requests.configuration(request)
    place = express_network.place(tx, call, request.get("networkConfiguration"))
    request, log_group = express_logs.told(tx, call, cluster.name, name, request)
    definition = _definition(tx, call, f"{cluster.name}-{name}", request)
    port = express_requests.port(definition)
    wanted = express_ingress.Wanted(
        cluster=cluster.name,
        service=name,
        infrastructure_role_arn=request["infrastructureRoleArn"],
        place=place,
        port=port,
        health_check_path=configuration.health_check_path,
        log_group=log_group,
    )
    gateway = _built(tx, call, wanted)
    asked = {
        "cluster": cluster.name,
        "serviceName": name,
        "taskDefinition": definition.arn,
        "desiredCount": configuration.scaling_target.min_task_count,
        "launchType": "FARGATE",
        "networkConfiguration": place.awsvpc(gateway.security_group_id),
        "loadBalancers": express_ingress.served(gateway, port),
        "deploymentConfiguration": {**_DEPLOYMENT, "alarms": express_alarms.watched_by(gateway)},
        "tags": request.get("tags"),
    }
    express_alarms.put(tx, call, gateway, on_alternate=False)
    services.create_service(tx, call, asked)
    service = replace(_get(tx, call, service_key(cluster.name, name)), express_gateway=gateway.id)
    service = _put(tx, service, configuration)
    express_scaling.put(tx, call, gateway, _revision(service), configuration.scaling_target)
    return {"service": express_views.show(tx, service, gateway, with_tags=True)}


def describe_express_gateway_service(view: View, call: Call, request: Members) -> Members:
    """An Express service, also one that was deleted while it is remembered."""
    service = _named(view, call, request)
    if service is None or service.express_gateway is None:
        raise errors.resource_not_found("The specified Express Gateway service was not found.")
    with_tags = "TAGS" in (request.get("include") or ())
    gateway = _gateway(view, service)
    return {"service": express_views.show(view, service, gateway, with_tags=with_tags)}


def update_express_gateway_service(tx: Transaction, call: Call, request: Members) -> Members:
    """Change an Express service; what its tasks are made of changes by a canary deployment."""
    express_requests.check(request)
    service, gateway = _active(tx, call, request)
    revision = _revision(service)
    known = revision.express
    configuration = express_requests.configuration(request, known)
    definition = _next_definition(tx, call, service, request)
    port = express_requests.port(definition)
    express_ingress.admit(tx, call, gateway, port)
    asked = {
        "cluster": service.cluster,
        "service": service.name,
        "taskDefinition": definition.arn,
        "networkConfiguration": _network(tx, call, gateway, revision, request),
        "loadBalancers": express_ingress.served(gateway, port),
        "forceNewDeployment": bool(known) and _path(configuration) != _path(known),
    }
    services.update_service(tx, call, asked)
    changed = _put(tx, _get(tx, call, SERVICES.key(service)), configuration)
    served = _revision(changed)
    if request.get("scalingTarget"):
        serving = changed.completed_revision or served
        express_scaling.put(tx, call, gateway, serving, configuration.scaling_target)
    if served.id != revision.id:
        (balanced,) = served.load_balancers
        group = balanced.group(alternate=served.on_alternate)
        express_ingress.check_at(tx, call, group, configuration.health_check_path)
        express_alarms.put(tx, call, gateway, on_alternate=served.on_alternate)
    gateway = replace(gateway, updated_at=call.now)
    tx.put(EXPRESS_GATEWAYS, gateway)
    return {"service": express_views.show_updated(tx, changed, gateway)}


def delete_express_gateway_service(tx: Transaction, call: Call, request: Members) -> Members:
    """Have the tasks of an Express service drained and stopped; what was made for it goes then."""
    service = _existing(tx, call, request)
    gateway = _gateway(tx, service)
    if service.status is ServiceStatus.INACTIVE or gateway is None:
        raise errors.service_not_active()
    if service.status is ServiceStatus.ACTIVE:
        express_scaling.remove(tx, call, gateway)
        service = services.draining(call, service)
        gateway = replace(gateway, left_at=call.now, updated_at=call.now)
        tx.put(SERVICES, service)
        tx.put(EXPRESS_GATEWAYS, gateway)
    return {"service": express_views.show(tx, service, gateway, with_tags=True)}


OPERATIONS: dict[str, Operation] = {
    "CreateExpressGatewayService": Writes(create_express_gateway_service),
    "DescribeExpressGatewayService": Reads(describe_express_gateway_service),
    "UpdateExpressGatewayService": Writes(update_express_gateway_service),
    "DeleteExpressGatewayService": Writes(delete_express_gateway_service),
}


def _cluster(tx: Transaction, call: Call, reference: str | None) -> Cluster:
    """The cluster a request means; ``default`` is made where it is not there."""
    name = references.cluster_name(call, reference)
    known = tx.get(CLUSTERS, call.scope, name)
    if name == references.DEFAULT_CLUSTER and not (known and known.status is ClusterStatus.ACTIVE):
        clusters.create_cluster(tx, call, {"capacityProviders": ["FARGATE"]})
    return references.active_cluster(tx, call, reference)


def _check_free(view: View, call: Call, cluster: Cluster, name: str) -> None:
    """Raise for a name that a service has, or whose last service is not gone altogether."""
    key = service_key(cluster.name, name)
    known = view.get(SERVICES, call.scope, key)
    if known is not None and known.status is ServiceStatus.ACTIVE:
        raise errors.not_idempotent()
    is_left = bool(view.scan(EXPRESS_GATEWAYS, call.scope, prefix=f"{key}/", limit=1))
    if is_left or (known is not None and known.status is ServiceStatus.DRAINING):
        raise errors.invalid_parameter("Unable to Start a service that is still Draining.")


def _built(tx: Transaction, call: Call, wanted: express_ingress.Wanted) -> ExpressGateway:
    try:
        return express_ingress.build(tx, call, wanted)
    except ServiceError as error:
        # What another service refuses is none of the errors that clients of Amazon ECS know.
        raise errors.client(f"{error.code}: {error.message}") from error


def _definition(tx: Transaction, call: Call, family: str, request: Members) -> TaskDefinition:
    if reference := request.get("taskDefinitionArn"):
        return express_requests.given_definition(tx, call, reference)
    return express_requests.register(tx, call, family, request)


def _next_definition(
    tx: Transaction, call: Call, service: Service, request: Members
) -> TaskDefinition:
    """The task definition after an update: what is given over what was, if ECS registered it."""
    revision = _revision(service)
    family = f"{service.cluster}-{service.name}"
    given = {m: request[m] for m in express_requests.OF_DEFINITION if request.get(m) is not None}
    current = references.find_definition(tx, call, revision.task_definition_arn)
    is_managed = revision.express is not None and revision.express.is_managed
    is_managed = is_managed and revision.family == family
    if request.get("taskDefinitionArn") or current is None or (given and not is_managed):
        return _definition(tx, call, family, request)
    before = express_requests.definition_members(current)
    container = {**(before["primaryContainer"] or {}), **(given.get("primaryContainer") or {})}
    wanted = {**before, **given, "primaryContainer": container}
    return current if wanted == before else _definition(tx, call, family, wanted)


def _network(
    view: View, call: Call, gateway: ExpressGateway, revision: ServiceRevision, request: Members
) -> Members | None:
    """The network configuration after an update, in the VPC of the load balancer."""
    given = request.get("networkConfiguration")
    current = revision.network_configuration
    if not given or current is None:
        return None
    own = gateway.security_group_id
    before = {
        "subnets": list(current.subnets),
        "securityGroups": [each for each in current.security_groups if each != own],
    }
    named = {member: ids for member, ids in given.items() if ids is not None}
    place = express_network.place(view, call, {**before, **named})
    if place.vpc_id != gateway.vpc_id:
        raise errors.invalid_parameter("The VPC of an Express service cannot be changed.")
    return place.awsvpc(own)


def _put(tx: Transaction, service: Service, configuration: ExpressConfiguration) -> Service:
    """Write the service, the configuration being that of its newest revision from now on."""
    revision = replace(_revision(service), express=configuration)
    primary, *older = service.deployments
    completed = service.completed_revision
    service = replace(
        service,
        revision=revision,
        completed_revision=revision if completed and completed.id == revision.id else completed,
        deployments=(replace(primary, revision=revision), *older),
    )
    tx.put(SERVICE_REVISIONS, revision)
    tx.put(SERVICES, service)
    return service


def _path(configuration: ExpressConfiguration | None) -> str | None:
    return configuration.health_check_path if configuration else None


def _revision(service: Service) -> ServiceRevision:
    if service.revision is None:
        raise errors.service_not_active()
    return service.revision


def _active(view: View, call: Call, request: Members) -> tuple[Service, ExpressGateway]:
    service = _existing(view, call, request)
    gateway = _gateway(view, service)
    if service.status is not ServiceStatus.ACTIVE or gateway is None:
        raise errors.service_not_active()
    return service, gateway


def _existing(view: View, call: Call, request: Members) -> Service:
    service = _named(view, call, request)
    if service is None or service.express_gateway is None:
        raise errors.service_not_found()
    return service


def _named(view: View, call: Call, request: Members) -> Service | None:
    """The service of a request's ARN. Raises ``InvalidParameterException``: it is none."""
    arn = parse_arn(request["serviceArn"])
    if arn is None or arn.service != "ecs":
        raise errors.invalid_parameter("The ARN provided is invalid.")
    references.check_scope(call, arn)
    match arn.resource.split("/"):
        case ["service", cluster, name]:
            return view.get(SERVICES, call.scope, service_key(cluster, name))
        case _:
            raise errors.invalid_parameter("The ARN provided is invalid.")


def _get(view: View, call: Call, key: str) -> Service:
    """A service that was written in this transaction."""
    found = view.get(SERVICES, call.scope, key)
    if found is None:
        raise errors.service_not_found()
    return found


def _gateway(view: View, service: Service) -> ExpressGateway | None:
    """What stands in front of an Express service; None once that is gone."""
    key = part_key(service.cluster, service.name, service.express_gateway or "")
    return view.get(EXPRESS_GATEWAYS, service.scope, key)
