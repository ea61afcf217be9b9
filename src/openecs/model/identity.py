"""Where a resource lives (account and region), and the ARNs and identifiers that name it.

ARN formats: Amazon ECS Developer Guide, "Amazon Resource Names (ARNs) and IDs".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One account in one region: a world of its own. Resources of two scopes never meet."""

    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        """The ARN of ``resource`` (``cluster/default``) of ``service`` (``ecs``) in this scope."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Arn:
    """A parsed ARN; ``resource`` is everything behind the fifth colon."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def scope(self) -> Scope:
        """The account and region the ARN names."""
        return Scope(self.account, self.region)


def parse_arn(text: str) -> Arn | None:
    """The parts of an ARN, or None where ``text`` is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[5]:
        return None
    return Arn(*parts[1:])


class Ids(Protocol):
    """The source of new identifiers: chance comes in by this door only."""

    def uuid(self) -> str:
        """A dashed UUID, as attachments and containers have."""
        ...

    def hex32(self) -> str:
        """32 lower-case hexadecimal digits, as tasks and container instances have."""
        ...

    def digits(self, count: int) -> str:
        """``count`` decimal digits, the first not 0, as deployments have."""
        ...


def cluster_arn(scope: Scope, cluster: str) -> str:
    """``arn:aws:ecs:R:A:cluster/NAME``."""
    return scope.arn("ecs", f"cluster/{cluster}")


def task_arn(scope: Scope, cluster: str, task_id: str) -> str:
    """``arn:aws:ecs:R:A:task/CLUSTER/ID``."""
    return scope.arn("ecs", f"task/{cluster}/{task_id}")


def container_arn(scope: Scope, cluster: str, task_id: str, container_id: str) -> str:
    """``arn:aws:ecs:R:A:container/CLUSTER/TASK/UUID``."""
    return scope.arn("ecs", f"container/{cluster}/{task_id}/{container_id}")


def task_definition_arn(scope: Scope, family: str, revision: int) -> str:
    """``arn:aws:ecs:R:A:task-definition/FAMILY:REVISION``."""
    return scope.arn("ecs", f"task-definition/{family}:{revision}")


def daemon_task_definition_arn(scope: Scope, family: str, revision: int) -> str:
    """``arn:aws:ecs:R:A:daemon-task-definition/FAMILY:REVISION``."""
    return scope.arn("ecs", f"daemon-task-definition/{family}:{revision}")


def container_instance_arn(scope: Scope, cluster: str, instance_id: str) -> str:
    """``arn:aws:ecs:R:A:container-instance/CLUSTER/ID``."""
    return scope.arn("ecs", f"container-instance/{cluster}/{instance_id}")


def capacity_provider_arn(scope: Scope, name: str) -> str:
    """``arn:aws:ecs:R:A:capacity-provider/NAME``."""
    return scope.arn("ecs", f"capacity-provider/{name}")
