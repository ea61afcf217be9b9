"""How requests name log groups: by name, by ARN, by either."""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api.base import Call, Members
from openecs.api.logs import errors
from openecs.model.identity import parse_arn
from openecs.model.logs import SERVICE, LogGroup
from openecs.store.base import View
from openecs.store.logs import LOG_GROUPS

_PREFIX = "log-group:"


def group(view: View, call: Call, request: Members) -> LogGroup:
    """The group of ``logGroupName`` or ``logGroupIdentifier``. ``ResourceNotFoundException``."""
    return named(view, call, name_in(request))


def named(view: View, call: Call, name: str) -> LogGroup:
    """The group of a name. Raises ``ResourceNotFoundException``."""
    found = view.get(LOG_GROUPS, call.scope, name)
    if found is None:
        raise errors.no_group()
    return found


def name_in(request: Members) -> str:
    """The name of the group that is meant. Raises ``InvalidParameterException``."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name and identifier:
        message = "LogGroup name and LogGroup identifier are mutually exclusive parameters."
        raise errors.invalid(message)
    if identifier:
        return name_of(identifier)
    if not name:
        raise errors.invalid("Either logGroupName or logGroupIdentifier must be specified.")
    return str(name)


def names_in(request: Members) -> Sequence[str]:
    """The names of the groups that are meant, each once, in their order."""
    given = [
        *filter(None, [request.get("logGroupName")]),
        *(request.get("logGroupNames") or ()),
        *(request.get("logGroupIdentifiers") or ()),
    ]
    return list(dict.fromkeys(name_of(each) for each in given))


def name_of(identifier: str) -> str:
    """The name of a group, where a name or an ARN is given."""
    parsed = parse_arn(identifier)
    if parsed is None:
        return identifier
    if parsed.service != SERVICE or not parsed.resource.startswith(_PREFIX):
        raise errors.invalid(f"Invalid ARN: {identifier}")
    return parsed.resource.removeprefix(_PREFIX).removesuffix(":*")
