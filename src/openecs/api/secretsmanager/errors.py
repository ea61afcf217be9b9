"""Errors of Secrets Manager, in its words."""

from __future__ import annotations

from openecs.api.base import ServiceError


def not_found() -> ServiceError:
    """There is no such secret."""
    return ServiceError(
        "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
    )


def no_value(what: str) -> ServiceError:
    """The secret has no version of that id or label."""
    message = f"Secrets Manager can't find the specified secret value for {what}"
    return ServiceError("ResourceNotFoundException", message)


def marked_for_deletion() -> ServiceError:
    """The secret is deleted, and can be restored."""
    return invalid_request(
        "You can't perform this operation on the secret because it was marked for deletion."
    )


def invalid_request(message: str) -> ServiceError:
    """A request that does not go with how the secret is."""
    return ServiceError("InvalidRequestException", message)


def invalid_parameter(message: str) -> ServiceError:
    """A member that cannot be meant."""
    return ServiceError("InvalidParameterException", message)


def exists(message: str) -> ServiceError:
    """A name or a token that is taken."""
    return ServiceError("ResourceExistsException", message)


def limit_exceeded(message: str) -> ServiceError:
    """More than Secrets Manager's quotas allow."""
    return ServiceError("LimitExceededException", message)


def malformed_policy(message: str) -> ServiceError:
    """A text that is no resource policy."""
    return ServiceError("MalformedPolicyDocumentException", message)
