"""CloudWatch's errors that concern alarms, in its words."""

from __future__ import annotations

from openecs.api.base import ServiceError


def validation(message: str) -> ServiceError:
    """A request that fits the model and cannot be fulfilled."""
    return ServiceError("ValidationError", message)


def not_built(what: str) -> ServiceError:
    """What AWS has and OpenECS has not: refused by name."""
    return validation(f"OpenECS does not build {what}.")


def not_found(names: str) -> ServiceError:
    """There is no such alarm."""
    return ServiceError("ResourceNotFound", f"Unknown alarm: {names}")


def arn_not_found(arn: str) -> ServiceError:
    """What is to be tagged is not there."""
    return ServiceError(
        "ResourceNotFoundException",
        f"Unknown resource: {arn}",
        ResourceType="alarm",
        ResourceId=arn,
    )


def invalid_parameter(message: str) -> ServiceError:
    """``InvalidParameterValue``."""
    return ServiceError("InvalidParameterValue", message)


def invalid_format(message: str) -> ServiceError:
    """``InvalidFormat``: data that is no JSON."""
    return ServiceError("InvalidFormat", message)


def invalid_next_token() -> ServiceError:
    """``InvalidNextToken``."""
    return ServiceError("InvalidNextToken", "The next token specified is invalid.")
