"""Sessions of task roles: begun as a task asks, renewed ahead of their end, ended with the task.

Amazon ECS Developer Guide, "Amazon ECS task IAM role".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openecs.api.base import Call
from openecs.api.iam import judging, service_roles
from openecs.api.sts.roles import Grant, start_session
from openecs.model.iam import Role, Session
from openecs.model.identity import Ids, Scope
from openecs.model.task_credentials import TaskCredentials
from openecs.model.tasks import Task
from openecs.store.base import Transaction, View
from openecs.store.iam import SESSIONS
from openecs.store.kinds import TASKS
from openecs.store.task_credentials import TASK_CREDENTIALS

LASTS = timedelta(hours=6)
#: SDKs ask anew some 15 minutes before the end: they then get what lasts longer.
RENEWED_BEFORE = timedelta(hours=1)


def assumable(view: View, arn: str, call: Call) -> Role | None:
    """The role, where it is there and trusts tasks of Amazon ECS."""
    told = judging.circumstances(call.now, call.scope.region)
    known = service_roles.assumed(view, arn, service_roles.TASKS, "task", told)
    return service_roles.role(view, arn) if known is not None else None


def prepared(tx: Transaction, task: Task, role_arn: str, ids: Ids) -> TaskCredentials:
    """Where a task is to ask for its credentials, always the same."""
    known = tx.get(TASK_CREDENTIALS, task.scope, TASKS.key(task))
    if known is not None and known.role_arn == role_arn:
        return known
    made = TaskCredentials(scope=task.scope, task=TASKS.key(task), id=ids.uuid(), role_arn=role_arn)
    tx.put(TASK_CREDENTIALS, made)
    return made


def current(tx: Transaction, call: Call, credentials: TaskCredentials) -> Session | None:
    """A session that lasts a while; None where the role cannot be assumed any more."""
    role = assumable(tx, credentials.role_arn, call)
    if role is None:
        return None
    newest = credentials.sessions[-1] if credentials.sessions else ""
    known = tx.get(SESSIONS, role.scope, newest)
    if known is not None and known.expires_at - call.now > RENEWED_BEFORE:
        return known
    name = credentials.task.rpartition("/")[2]
    grant = Grant(
        arn=Scope(role.scope.account, "").arn("sts", f"assumed-role/{role.name}/{name}"),
        user_id=f"{role.id}:{name}",
        role=role.name,
    )
    made = start_session(tx, call, role.scope, grant, LASTS)
    kept = tuple(each for each in credentials.sessions if tx.get(SESSIONS, role.scope, each))
    tx.put(TASK_CREDENTIALS, replace(credentials, sessions=(*kept, made.id)))
    return made


def end(tx: Transaction, scope: Scope, task: str) -> None:
    """Take back what a task was given: its requests are refused from now on."""
    credentials = tx.get(TASK_CREDENTIALS, scope, task)
    if credentials is None:
        return
    for session in credentials.sessions:
        for found in tx.find(SESSIONS, None, "id", (session,)):
            tx.delete(SESSIONS, found.scope, found.id)
    tx.delete(TASK_CREDENTIALS, scope, task)
