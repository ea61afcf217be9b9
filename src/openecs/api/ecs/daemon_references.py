"""What a request means by the name or ARN of something of a daemon's.

ARN formats: Service Authorization Reference, "Resource types defined by Amazon ECS".
"""

from __future__ import annotations

import re

from openecs.api.base import Call, ServiceError
from openecs.api.ecs import errors, references
from openecs.model.daemons import (
    Daemon,
    DaemonTaskDefinition,
    DaemonTaskDefinitionStatus,
)
from openecs.model.identity import parse_arn
from openecs.store.base import View
from openecs.store.kinds import (
    DAEMON_TASK_DEFINITIONS,
    DAEMONS,
    daemon_key,
    part_key,
    task_definition_key,
)

_INVALID = "The ARN provided is invalid."


def find_daemon(view: View, call: Call, arn: str) -> Daemon:
    """The daemon of an ARN. Raises ``DaemonNotFoundException``, ``InvalidParameterException``."""
    daemon = daemon_of(view, call, arn)
    if daemon is None:
        raise ServiceError("DaemonNotFoundException", "Daemon not found.")
    return daemon


def daemon_of(view: View, call: Call, arn: str) -> Daemon | None:
    """The daemon of an ARN, or None. Raises ``InvalidParameterException``."""
    return view.get(DAEMONS, call.scope, daemon_key(*names_of_daemon(call, arn)))


def names_of_daemon(call: Call, arn: str) -> tuple[str, str]:
    """The cluster and the name in a daemon's ARN. Raises ``InvalidParameterException``."""
    cluster, name = _parts(call, arn, "daemon", 2)
    return cluster, name


def key_of_part(call: Call, arn: str, kind: str) -> str:
    """The key of a ``daemon-revision`` or ``daemon-deployment``.

    Raises ``InvalidParameterException`` for what is no ARN of such.
    """
    return part_key(*_parts(call, arn, kind, 3))


def find_definition(view: View, call: Call, reference: str) -> DaemonTaskDefinition | None:
    """The definition of ``family:revision`` or an ARN, or the latest ACTIVE one of a family.

    Raises ``ClientException`` for a revision that is no number.
    """
    name = reference
    if reference.startswith("arn:"):
        (name,) = _parts(call, reference, "daemon-task-definition", 1)
    family, colon, revision = name.partition(":")
    if not colon:
        return _latest(view, call, family)
    if not re.fullmatch(r"[0-9]{1,7}", revision):
        raise errors.client(f"Invalid revision number. Number: {revision}")
    key = task_definition_key(family, int(revision))
    return view.get(DAEMON_TASK_DEFINITIONS, call.scope, key)


def _latest(view: View, call: Call, family: str) -> DaemonTaskDefinition | None:
    newest = view.scan(DAEMON_TASK_DEFINITIONS, call.scope, prefix=f"{family}:", descending=True)
    active = DaemonTaskDefinitionStatus.ACTIVE
    return next((each for each in newest if each.status is active), None)


def _parts(call: Call, reference: str, kind: str, count: int) -> list[str]:
    """The names in an ARN behind ``kind/``."""
    arn = parse_arn(reference)
    if arn is None or arn.service != "ecs":
        raise errors.invalid_parameter(_INVALID)
    references.check_scope(call, arn)
    type_, *parts = arn.resource.split("/")
    if type_ != kind or len(parts) != count or not all(parts):
        raise errors.invalid_parameter(_INVALID)
    return parts
