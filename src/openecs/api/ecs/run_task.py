"""RunTask and StartTask: checked, placed and recorded in one transaction; a node does the rest."""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Writes
from openecs.api.ecs import errors, launches, task_requests
from openecs.api.ecs.client_tokens import Tokens
from openecs.api.ecs.launching import Launched, launch_on, launch_tasks
from openecs.api.ecs.task_views import show
from openecs.model.identity import parse_arn
from openecs.model.tasks import Task
from openecs.store.base import Transaction, View
from openecs.store.kinds import TASKS

INSTANCE_LIMIT = 10
TOKENS = Tokens(
    operation="RunTask",
    limit=64,
    mismatch=lambda resources: errors.conflict(
        "The client token was used before with other parameters.", resources
    ),
)


def run_task(tx: Transaction, call: Call, request: Members) -> Members:
    """Start tasks wherever they fit. What does not fit is in ``failures``; the rest runs."""
    if repeated := _repeated(tx, call, request):
        return repeated
    wanted = task_requests.parse(tx, call, request)
    launched = launch_tasks(tx, call, wanted, launches.parse(wanted, request))
    if launched[0]:
        # A token that started nothing may be used again: a repeated call then places anew.
        TOKENS.remember(tx, call, request, [task.arn for task in launched[0]])
    return _answer(launched)


def start_task(tx: Transaction, call: Call, request: Members) -> Members:
    """Start a task on each of the named instances, whatever placement would choose."""
    named = request["containerInstances"]
    if not named:
        raise errors.client("Container Instances cannot be empty.")
    if len(named) > INSTANCE_LIMIT:
        raise errors.invalid_parameter(
            f"Container instances cannot have more than {INSTANCE_LIMIT} elements."
        )
    wanted = task_requests.parse(tx, call, request)
    return _answer(launch_on(tx, call, wanted, named))


OPERATIONS: dict[str, Operation] = {
    "RunTask": Writes(run_task),
    "StartTask": Writes(start_task),
}


def _repeated(tx: Transaction, call: Call, request: Members) -> Members | None:
    """The answer of the call that used the same client token before."""
    resources = TOKENS.resources(tx, call, request)
    if resources is None:
        return None
    tasks = [_task(tx, call, arn) for arn in resources]
    return _answer(([task for task in tasks if task], []))


def _answer(launched: Launched) -> Members:
    tasks, failures = launched
    return {"tasks": [show(task, with_tags=True) for task in tasks], "failures": failures}


def _task(view: View, call: Call, arn: str) -> Task | None:
    parsed = parse_arn(arn)
    key = parsed.resource.removeprefix("task/") if parsed else ""
    return view.get(TASKS, call.scope, key)
