"""The log group of an Express service, where it is not told another."""

from __future__ import annotations

from openecs.api.base import Call, Members
from openecs.api.logs.groups import create_log_group
from openecs.store.base import Transaction
from openecs.store.logs import LOG_GROUPS

_STREAM_PREFIX = "ecs"


def told(
    tx: Transaction, call: Call, cluster: str, service: str, request: Members
) -> tuple[Members, str | None]:
    """The request with a log group for its container, ``/aws/ecs/CLUSTER/SERVICE-XXXX``.

    As it is, and None, where it names one, or a task definition.
    """
    container = request.get("primaryContainer")
    if container is None or container.get("awsLogsConfiguration"):
        return request, None
    group = f"/aws/ecs/{cluster}/{service}-{call.ids.hex32()[-4:]}"
    if tx.get(LOG_GROUPS, call.scope, group) is None:
        create_log_group(tx, call, {"logGroupName": group})
    logs = {"logGroup": group, "logStreamPrefix": _STREAM_PREFIX}
    return {**request, "primaryContainer": {**container, "awsLogsConfiguration": logs}}, group
