"""Express services as AWS shows them. API Reference, ``ECSExpressGatewayService``."""

from __future__ import annotations

from openecs.api import shapes
from openecs.api.base import Members
from openecs.api.ecs import express_requests, express_resources, tags
from openecs.api.ecs.service_views import current_deployment
from openecs.model.express import ExpressConfiguration, ExpressGateway
from openecs.model.services import Service, ServiceRevision
from openecs.store.base import View
from openecs.store.kinds import TASK_DEFINITIONS, task_definition_key


def show(
    view: View, service: Service, gateway: ExpressGateway | None, *, with_tags: bool
) -> Members:
    """An Express service; of one that is gone, with its gateway, only the name is left."""
    current = current_deployment(view, service)
    configurations = [
        configuration(view, each.revision, gateway)
        for each in service.deployments
        if gateway is not None
    ]
    return {
        **_named(view, service, gateway),
        "infrastructureRoleArn": gateway.infrastructure_role_arn if gateway else None,
        "currentDeployment": current.arn if current else None,
        "activeConfigurations": configurations,
        "tags": tags.show(service.tags) if with_tags else None,
    }


def show_updated(view: View, service: Service, gateway: ExpressGateway) -> Members:
    """An Express service after an update: what it is on its way to."""
    target = configuration(view, service.revision, gateway) if service.revision else None
    return {**_named(view, service, gateway), "targetConfiguration": target}


def configuration(view: View, revision: ServiceRevision, gateway: ExpressGateway | None) -> Members:
    """What a revision of an Express service runs, and where it is reached."""
    key = task_definition_key(revision.family, revision.revision)
    definition = view.get(TASK_DEFINITIONS, revision.scope, key)
    network = revision.network_configuration
    return {
        "serviceRevisionArn": revision.arn,
        "taskDefinitionArn": revision.task_definition_arn,
        **(express_requests.definition_members(definition) if definition else {}),
        "networkConfiguration": (
            {"subnets": list(network.subnets), "securityGroups": list(network.security_groups)}
            if network
            else None
        ),
        **_settings(revision.express),
        "ingressPaths": ingress_paths(gateway),
        "createdAt": revision.created_at,
    }


def ingress_paths(gateway: ExpressGateway | None) -> list[Members]:
    """Where an Express service is reached: the host that its HTTPS URL names."""
    if gateway is None:
        return []
    return [{"accessType": str(gateway.access_type), "endpoint": gateway.host}]


def _named(view: View, service: Service, gateway: ExpressGateway | None) -> Members:
    reason = express_resources.trouble(view, gateway) if gateway else None
    return {
        "cluster": service.cluster,
        "serviceName": service.name,
        "serviceArn": service.arn,
        "status": {"statusCode": str(service.status), "statusReason": reason},
        "createdAt": service.created_at,
        "updatedAt": gateway.updated_at if gateway else service.deleted_at,
    }


def _settings(found: ExpressConfiguration | None) -> Members:
    if found is None:
        return {}
    return {
        "healthCheckPath": found.health_check_path,
        "scalingTarget": shapes.to_members(found.scaling_target),
    }
