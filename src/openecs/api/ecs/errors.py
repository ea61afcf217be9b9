"""The errors of Amazon ECS with their exact texts, made in one place.

A function here makes the error; the caller raises it. Texts that AWS words per parameter go
through ``client`` and ``invalid_parameter`` where they are raised.
"""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api.base import ServiceError


def client(message: str) -> ServiceError:
    """``ClientException``: the request makes no sense as it is."""
    return ServiceError("ClientException", message)


def invalid_parameter(message: str) -> ServiceError:
    """``InvalidParameterException``: a parameter is not valid for the operation."""
    return ServiceError("InvalidParameterException", message)


def cluster_not_found() -> ServiceError:
    """The cluster a request names, or the default one, does not exist."""
    return ServiceError("ClusterNotFoundException", "Cluster not found.")


def cluster_inactive() -> ServiceError:
    """The cluster a request names has been deleted."""
    return ServiceError("ClusterNotFoundException", "The referenced cluster was inactive.")


def cluster_contains_instances() -> ServiceError:
    """A cluster with container instances is not deleted."""
    return ServiceError(
        "ClusterContainsContainerInstancesException",
        "The Cluster cannot be deleted while Container Instances are active or draining.",
    )


def cluster_contains_tasks() -> ServiceError:
    """A cluster with tasks that have not stopped is not deleted."""
    return ServiceError(
        "ClusterContainsTasksException",
        "The Cluster cannot be deleted while Tasks are active.",
    )


def service_not_found() -> ServiceError:
    """The service a request names does not exist."""
    return ServiceError("ServiceNotFoundException", "Service not found.")


def service_not_active() -> ServiceError:
    """UpdateService: the service is being deleted, or has been."""
    return ServiceError("ServiceNotActiveException", "Service was not ACTIVE.")


def managed_by_ecs(arn: str) -> ServiceError:
    """DeleteService: what ECS made around the service would be left behind."""
    return invalid_parameter(
        f"{arn} has ResourceManagementType=ECS use DeleteExpressGatewayService to delete"
    )


def not_idempotent() -> ServiceError:
    """CreateService: there is a service of that name which is another."""
    return invalid_parameter("Creation of service was not idempotent.")


def cluster_contains_services() -> ServiceError:
    """A cluster with services is not deleted."""
    return ServiceError(
        "ClusterContainsServicesException",
        "The Cluster cannot be deleted while Services are active.",
    )


def definition_undescribable() -> ServiceError:
    """Describe and Deregister: there is no such task definition."""
    return client("Unable to describe task definition.")


def definition_not_found() -> ServiceError:
    """RunTask and the like: there is no such task definition."""
    return client("TaskDefinition not found.")


def definition_inactive() -> ServiceError:
    """RunTask and StartTask: the task definition has been deregistered."""
    return invalid_parameter("TaskDefinition is inactive")


def definition_inactive_for_services() -> ServiceError:
    """CreateService and the like: the same, which AWS says with another code there."""
    return client("TaskDefinition is inactive")


def task_not_found() -> ServiceError:
    """StopTask: there is no such task."""
    return invalid_parameter("The referenced task was not found.")


def target_not_found(target: str) -> ServiceError:
    """The resource an attribute is about does not exist in the cluster."""
    return ServiceError("TargetNotFoundException", f"Could not find {target}")


def attribute_limit() -> ServiceError:
    """A container instance has all the custom attributes it may have."""
    return ServiceError(
        "AttributeLimitExceededException",
        "You can apply up to 10 custom attributes per resource.",
    )


def resource_not_found(message: str) -> ServiceError:
    """``ResourceNotFoundException``: what is to be tagged does not exist."""
    return ServiceError("ResourceNotFoundException", message)


def resource_in_use(message: str) -> ServiceError:
    """``ResourceInUseException``: others still need what is to be removed."""
    return ServiceError("ResourceInUseException", message)


def unsupported(message: str) -> ServiceError:
    """``UnsupportedFeatureException``: the feature is not available in this region."""
    return ServiceError("UnsupportedFeatureException", message)


def namespace_not_found() -> ServiceError:
    """The Cloud Map namespace a request names does not exist."""
    return ServiceError("NamespaceNotFoundException", "The specified namespace wasn't found.")


def conflict(message: str, resource_ids: Sequence[str]) -> ServiceError:
    """``ConflictException``: the client token was used with other parameters before."""
    return ServiceError("ConflictException", message, resourceIds=list(resource_ids))


def failure(arn: str, reason: str, detail: str | None = None) -> dict[str, str]:
    """An entry of ``failures``: what an operation on many could not do for one."""
    entry = {"arn": arn, "reason": reason}
    return entry if detail is None else {**entry, "detail": detail}
