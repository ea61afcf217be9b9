"""CloudWatch Logs' errors, in its words."""

from __future__ import annotations

from openecs.api.base import Members, ServiceError


def invalid(message: str) -> ServiceError:
    """A request that cannot be meant."""
    return ServiceError("InvalidParameterException", message)


def no_group() -> ServiceError:
    """There is no such group."""
    return _missing("log group")


def no_stream() -> ServiceError:
    """There is no such stream."""
    return _missing("log stream")


def no_metric_filter() -> ServiceError:
    """There is no such filter."""
    return _missing("metric filter")


def no_subscription_filter() -> ServiceError:
    """There is no such filter."""
    return _missing("subscription filter")


def no_resource() -> ServiceError:
    """An ARN is of nothing that is here."""
    return _missing("resource")


def exists(what: str) -> ServiceError:
    """There is one of the name already."""
    message = f"The specified log {what} already exists"
    return ServiceError("ResourceAlreadyExistsException", message)


def invalid_token() -> ServiceError:
    """A token that no answer gave."""
    return invalid("The specified nextToken is invalid.")


def refuse(request: Members, *members: str) -> None:
    """Raise ``InvalidParameterException`` where one of the members, not built, is given."""
    for member in members:
        if request.get(member):
            raise invalid(f"OpenECS does not build {member}.")


def _missing(what: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"The specified {what} does not exist.")
