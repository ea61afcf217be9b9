"""The credentials of tasks as they are stored: until the task has stopped."""

from __future__ import annotations

from openecs.model.task_credentials import TaskCredentials
from openecs.store.base import Kind

TASK_CREDENTIALS: Kind[TaskCredentials] = Kind(
    name="task-credentials",
    type=TaskCredentials,
    key=lambda credentials: credentials.task,
    scope=lambda credentials: credentials.scope,
    global_indexes={"id": lambda credentials: (credentials.id,)},
)

KINDS = (TASK_CREDENTIALS,)
