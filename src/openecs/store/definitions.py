"""What a task runs, of whichever kind its definition is.

Daemon task definitions have families of their own, so they are a kind of their own: nothing that
lists, describes or runs ordinary task definitions has to leave them out. Each holds the task
definition that its tasks run, so that whoever runs a task need not know there are daemons.
"""

from __future__ import annotations

from openecs.model.task_definitions import TaskDefinition
from openecs.model.tasks import Task
from openecs.store.base import View
from openecs.store.kinds import DAEMON_TASK_DEFINITIONS, TASK_DEFINITIONS, task_definition_key


def definition_of(view: View, task: Task) -> TaskDefinition | None:
    """The definition a task runs, None once it has been deleted altogether."""
    key = task_definition_key(task.family, task.revision)
    if task.daemon is None:
        return view.get(TASK_DEFINITIONS, task.scope, key)
    found = view.get(DAEMON_TASK_DEFINITIONS, task.scope, key)
    return found.runs if found else None
