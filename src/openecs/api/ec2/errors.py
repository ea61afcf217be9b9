"""Errors in Amazon EC2's codes and words.

Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
"""

from __future__ import annotations

from openecs.api.base import ServiceError


def not_found(kind: str, noun: str, identifier: str) -> ServiceError:
    """``InvalidVpcID.NotFound``: the resource of that id does not exist."""
    return ServiceError(f"{kind}.NotFound", f"The {noun} '{identifier}' does not exist")


def invalid_value(message: str) -> ServiceError:
    """A parameter's value is not one it can have."""
    return ServiceError("InvalidParameterValue", message)


def missing(member: str) -> ServiceError:
    """A parameter that is needed was not given."""
    return ServiceError("MissingParameter", f"The request must contain the parameter {member}")


def in_use(message: str) -> ServiceError:
    """Something else depends on the resource."""
    return ServiceError("DependencyViolation", message)


def dry_run() -> ServiceError:
    """The request was a rehearsal."""
    return ServiceError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
