"""In what words each service complains of values its model does not allow.

Most of AWS's services share one way of saying it ("1 validation error detected: ..."); they differ
in the code. Amazon ECS, Amazon EC2 and the formerly hand-written query services have words of their
own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from openecs.api.base import ServiceError
from openecs.gateway.protocol.validate import Complaint, Demand

#: Shown of a value at most, so that an error stays readable.
_LONGEST_SHOWN = 1024
_CONSTRAINTS = {
    Demand.PRESENT: "Member must not be null",
    Demand.KNOWN: "Member must satisfy enum value set: [{}]",
    Demand.LONG_ENOUGH: "Member must have length greater than or equal to {}",
    Demand.SHORT_ENOUGH: "Member must have length less than or equal to {}",
    Demand.LARGE_ENOUGH: "Member must have value greater than or equal to {}",
    Demand.SMALL_ENOUGH: "Member must have value less than or equal to {}",
    Demand.MATCHING: "Member must satisfy regular expression pattern: {}",
    Demand.OF_ITEMS: "Member must satisfy constraint: [{}]",
    Demand.OF_KEYS: "Map keys must satisfy constraint: [{}]",
    Demand.OF_VALUES: "Map value must satisfy constraint: [{}]",
}
_Complain = Callable[[str, Sequence[Complaint]], ServiceError]


def error(service: str, operation: str, complaints: Sequence[Complaint]) -> ServiceError:
    """The service's error for a request with these complaints, of which there is at least one."""
    return _COMPLAIN[service](operation, complaints)


def _coral(code: str) -> _Complain:
    def complain(_: str, complaints: Sequence[Complaint]) -> ServiceError:
        count = len(complaints)
        text = "; ".join(_sentence(complaint) for complaint in complaints)
        errors = "validation error" if count == 1 else "validation errors"
        return ServiceError(code, f"{count} {errors} detected: {text}")

    return complain


def _required_first(missing: str, text: str, others: str) -> _Complain:
    """Services that say of an absent parameter only that it is, with a code of its own."""

    def complain(operation: str, complaints: Sequence[Complaint]) -> ServiceError:
        for complaint in complaints:
            if complaint.demand is Demand.PRESENT:
                return ServiceError(missing, text.format(".".join(complaint.path)))
        return _coral(others)(operation, complaints)

    return complain


def _ecs(operation: str, complaints: Sequence[Complaint]) -> ServiceError:
    """Amazon ECS complains of one thing at a time; of task definitions as ``ClientException``."""
    complaint = complaints[0]
    client = operation == "RegisterTaskDefinition" or complaint.owner == "Tag"
    code = "ClientException" if client else "InvalidParameterException"
    demanding = complaint.limit[0] if complaint.demand is Demand.OF_ITEMS else complaint
    match demanding.demand:
        case Demand.PRESENT:
            return ServiceError(code, f"{_ecs_name(complaint)} should not be null or empty.")
        case Demand.KNOWN:
            known = ", ".join(demanding.limit)
            return ServiceError(code, f"{_words(complaint.path[-1])} should be one of [{known}]")
        case _:
            return _coral(code)(operation, complaints)


def _ec2(_: str, complaints: Sequence[Complaint]) -> ServiceError:
    complaint = complaints[0]
    name = complaint.path[-1]
    if complaint.demand is Demand.PRESENT:
        message = f"The request must contain the parameter {name}"
        return ServiceError("MissingParameter", message)
    message = f"Value ({complaint.value}) for parameter {name} is invalid."
    return ServiceError("InvalidParameterValue", message)


_COMPLAIN: Mapping[str, _Complain] = {
    "ecs": _ecs,
    "application-autoscaling": _coral("ValidationException"),
    "elbv2": _coral("ValidationError"),
    "cloudwatch": _required_first(
        "MissingParameter", "The parameter {} is required.", "ValidationError"
    ),
    "logs": _coral("InvalidParameterException"),
    "iam": _coral("ValidationError"),
    "sts": _coral("ValidationError"),
    "secretsmanager": _coral("ValidationException"),
    "ssm": _coral("ValidationException"),
    "ecr": _coral("InvalidParameterException"),
    "servicediscovery": _coral("InvalidInput"),
    "events": _coral("ValidationException"),
    "ec2": _ec2,
    "autoscaling": _coral("ValidationError"),
    "scheduler": _coral("ValidationException"),
    "sqs": _required_first(
        "MissingParameter", "The request must contain the parameter {}.", "InvalidParameterValue"
    ),
    "acm": _coral("ValidationException"),
    "route53": _coral("InvalidInput"),
    "s3": _coral("InvalidArgument"),
}


def _sentence(complaint: Complaint) -> str:
    path = ".".join(name[:1].lower() + name[1:] for name in complaint.path)
    return f"{_value(complaint)} at '{path}' failed to satisfy constraint: {_constraint(complaint)}"


def _value(complaint: Complaint) -> str:
    if complaint.value is None:
        return "Value null"
    if complaint.sensitive:
        return "Value"
    return f"Value '{_shown(complaint.value)}'"


def _shown(value: object) -> str:
    match value:
        case list():
            text = f"[{', '.join(map(str, value))}]"
        case dict():
            text = f"{{{', '.join(f'{key}={item}' for key, item in value.items())}}}"
        case bytes():
            text = "java.nio.HeapByteBuffer"
        case _:
            text = str(value)
    return text[:_LONGEST_SHOWN]


def _constraint(complaint: Complaint) -> str:
    limit = complaint.limit
    if complaint.demand is Demand.KNOWN:
        limit = ", ".join(limit)
    elif complaint.demand in {Demand.OF_ITEMS, Demand.OF_KEYS, Demand.OF_VALUES}:
        limit = ", ".join(map(_constraint, limit))
    return _CONSTRAINTS[complaint.demand].format(limit)


def _ecs_name(complaint: Complaint) -> str:
    member = next(name for name in reversed(complaint.path) if not _is_position(name))
    if complaint.owner:
        return f"{complaint.owner.removesuffix('Definition')}.{member}"
    return member[:1].upper() + member[1:]


def _is_position(name: str) -> bool:
    return name.endswith(".member")


def _words(member: str) -> str:
    """``launchType`` is "launch type"."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", member)
