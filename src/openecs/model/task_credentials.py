"""The credentials of a task's role, as the task finds them."""

from __future__ import annotations

from dataclasses import dataclass

from openecs.model.identity import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCredentials:
    """Where a task asks for the credentials of its role, and what it was given."""

    scope: Scope
    #: The task's cluster and id, as ``CLUSTER/ID``.
    task: str
    #: A UUID that only the task is told: ``/v2/credentials/ID``.
    id: str
    role_arn: str
    #: The sessions' access key ids, the newest last; those before may still be in use.
    sessions: tuple[str, ...] = ()
