"""Errors of Application Auto Scaling."""

from __future__ import annotations

from openecs.api.base import ServiceError
from openecs.model.scaling import DIMENSION, NAMESPACE


def validation(message: str) -> ServiceError:
    """A request that cannot be meant."""
    return ServiceError("ValidationException", message)


def unsupported() -> ServiceError:
    """Something other than an ECS service's desired count."""
    return validation("Unsupported service namespace, resource type or scalable dimension")


def no_service(resource_id: str) -> ServiceError:
    """There is nothing to scale."""
    return validation(f"ECS service doesn't exist: {resource_id}")


def no_target(resource_id: str) -> ServiceError:
    """The service is no scalable target."""
    return _not_found("scalable target registered", resource_id)


def no_policy(resource_id: str, name: str) -> ServiceError:
    """The target has no policy of that name."""
    return _not_found("scaling policy found", resource_id, f", policy name: {name}")


def no_scheduled_action(resource_id: str, name: str) -> ServiceError:
    """The target has no scheduled action of that name."""
    return _not_found("scheduled action found", resource_id, f", scheduled action name: {name}")


def _not_found(what: str, resource_id: str, tail: str = "") -> ServiceError:
    where = f"resource ID: {resource_id}, scalable dimension: {DIMENSION}{tail}"
    message = f"No {what} for service namespace: {NAMESPACE}, {where}"
    return ServiceError("ObjectNotFoundException", message)
