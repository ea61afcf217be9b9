"""CloudWatch's errors that concern metrics, in its words."""

from __future__ import annotations

from openecs.api.base import ServiceError


def invalid_value(message: str) -> ServiceError:
    """A member that may not be so."""
    return ServiceError("InvalidParameterValue", message)


def invalid_combination(message: str) -> ServiceError:
    """Members that do not go together."""
    return ServiceError("InvalidParameterCombination", message)


def missing(message: str) -> ServiceError:
    """A member that has to be there."""
    return ServiceError("MissingParameter", message)


def validation(message: str) -> ServiceError:
    """A query that makes no sense."""
    return ServiceError("ValidationError", message)


def invalid_token() -> ServiceError:
    """A token that no answer gave."""
    return ServiceError("InvalidNextToken", "The next token specified is invalid.")
