"""RunTask and StartTask: checked, placed and recorded in one transaction; a node does the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Writes
from openecs.api.ecs import capacity_providers, errors, placing, references, task_requests
from openecs.api.ecs.new_tasks import Destination, new_task
from openecs.api.ecs.task_requests import TaskRequest
from openecs.api.ecs.task_views import show
from openecs.decide.placement import filters, plan, providers, strategies
from openecs.decide.placement.ask import Ask, ask_of
from openecs.decide.placement.candidates import Candidate, place
from openecs.model.clusters import CapacityProviderStrategyItem, ContainerInstance, Machine
from openecs.model.clusters import IdempotencyRecord as Idempotency
from openecs.model.identity import parse_arn
from openecs.model.tasks import LaunchType, Task
from openecs.store.base import Transaction, View
from openecs.store.kinds import CONTAINER_INSTANCES, IDEMPOTENCY, TASKS, instance_key

COUNT_LIMIT, INSTANCE_LIMIT, TOKEN_LIMIT = 10, 10, 64
PLATFORM_VERSION = "1.4.0"

NO_INSTANCES = "No Container Instances were found in your cluster."
NO_FARGATE = (
    "Capacity is unavailable at this time. Please try again later or in a different "
    "availability zone"
)

Placed = tuple[list[Task], list[Members]]


def run_task(tx: Transaction, call: Call, request: Members) -> Members:
    """Start tasks wherever they fit. What does not fit is in ``failures``; the rest runs."""
    if repeated := _repeated(tx, call, request):
        return repeated
    wanted = task_requests.parse(tx, call, request)
    count = request.get("count")
    count = 1 if count is None else count
    if not 1 <= count <= COUNT_LIMIT:
        raise errors.invalid_parameter(f"Task count must be between 1 and {COUNT_LIMIT}.")
    ask = _ask(wanted, request)
    strategy = _strategy(wanted, request)
    launch_type = request.get("launchType") or (None if strategy else LaunchType.EC2)
    tasks, failures = _run(tx, call, wanted, request, ask, (count, launch_type, strategy))
    for task in tasks:
        tx.put(TASKS, task)
    _remember(tx, call, request, tasks)
    return {"tasks": [show(t, with_tags=True) for t in tasks], "failures": failures}


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
    ask = replace(ask_of(wanted.definition, wanted.overrides, group=wanted.group), constraints=())
    tasks: list[Task] = []
    failures: list[Members] = []
    for reference in named:
        outcome = _start_on(tx, call, wanted, ask, reference)
        if isinstance(outcome, Task):
            tx.put(TASKS, outcome)
            tasks.append(outcome)
        else:
            failures.append(outcome)
    return {"tasks": [show(t, with_tags=True) for t in tasks], "failures": failures}


OPERATIONS: dict[str, Operation] = {
    "RunTask": Writes(run_task),
    "StartTask": Writes(start_task),
}


def _ask(wanted: TaskRequest, request: Members) -> Ask:
    ranked = task_requests.placement_strategies(request)
    for strategy in ranked:
        if not strategies.is_known(strategy):
            raise errors.invalid_parameter(
                f"Placement strategy {strategy.type} with field {strategy.field} is not valid."
            )
    constraints = task_requests.placement_constraints(request)
    ask = ask_of(wanted.definition, wanted.overrides, constraints=constraints, group=wanted.group)
    for constraint in ask.constraints:
        problem = filters.problem_of(constraint)
        if problem:
            raise errors.invalid_parameter(f"Invalid expression: {problem}")
    return ask


def _strategy(wanted: TaskRequest, request: Members) -> tuple[CapacityProviderStrategyItem, ...]:
    given = request.get("capacityProviderStrategy")
    if given and request.get("launchType"):
        raise errors.invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    cluster = wanted.cluster
    if given:
        return capacity_providers.parse_strategy(given, cluster.capacity_providers)
    return () if request.get("launchType") else cluster.default_capacity_provider_strategy


def _run(
    tx: Transaction,
    call: Call,
    wanted: TaskRequest,
    request: Members,
    ask: Ask,
    how: tuple[int, str | None, tuple[CapacityProviderStrategyItem, ...]],
) -> Placed:
    count, launch_type, strategy = how
    if strategy:
        names = providers.split(strategy, count)
        return _on_fargate(tx, call, wanted, ask, [(name, request) for name in names])
    match launch_type:
        case LaunchType.EC2:
            return _on_instances(tx, call, wanted, request, (ask, count))
        case LaunchType.FARGATE:
            return _on_fargate(tx, call, wanted, ask, [(None, request)] * count)
        case _:
            # Remote machines come later: nothing of these launch types can exist.
            raise errors.invalid_parameter(NO_INSTANCES)


def _on_instances(
    tx: Transaction, call: Call, wanted: TaskRequest, request: Members, asked: tuple[Ask, int]
) -> Placed:
    ask, count = asked
    instances = {i.id: i for i in placing.instances(tx, call, wanted.cluster)}
    if not instances:
        raise errors.invalid_parameter(NO_INSTANCES)
    candidates = [placing.candidate(tx, i) for i in instances.values()]
    ranked = task_requests.placement_strategies(request)
    tasks: list[Task] = []
    failures: list[Members] = []
    for placement in plan.plan(ask, count, candidates, ranked, call.request_id):
        match placement:
            case plan.Placed(candidate=chosen):
                tasks.append(_on_instance(tx, call, wanted, ask, instances[chosen.id]))
            case plan.Unplaced(rejections=rejections):
                failures += [errors.failure(c.arn, str(r)) for c, r in rejections]
    return tasks, failures


def _on_instance(
    tx: Transaction, call: Call, wanted: TaskRequest, ask: Ask, instance: ContainerInstance
) -> Task:
    """The task on its instance, which joins the cluster with it if it has not before."""
    tx.put(CONTAINER_INSTANCES, instance)
    zone = next((a.value for a in instance.attributes if a.name == "ecs.availability-zone"), None)
    destination = Destination(
        launch_type=LaunchType.EC2,
        machine=instance.machine,
        container_instance=instance.id,
        capacity_provider=instance.capacity_provider,
        availability_zone=zone or "",
    )
    return new_task(call, wanted, ask, destination)


def _on_fargate(
    tx: Transaction,
    call: Call,
    wanted: TaskRequest,
    ask: Ask,
    each: Sequence[tuple[str | None, Members]],
) -> Placed:
    """FARGATE and FARGATE_SPOT are the machines of this installation, without an instance."""
    if "FARGATE" not in wanted.definition.compatibilities:
        raise errors.invalid_parameter("Task definition does not support launch_type FARGATE.")
    ask = replace(ask, required_attributes=frozenset(), constraints=())
    candidates = [_as_candidate(tx, call, machine) for machine in placing.machines(tx)]
    tasks: list[Task] = []
    failures: list[Members] = []
    for provider, request in each:
        fit = [c for c in candidates if filters.reject(ask, c) is None]
        if not fit:
            failures.append({"reason": NO_FARGATE})
            continue
        candidates = list(place(fit[0], ask, candidates))
        destination = Destination(
            launch_type=LaunchType.FARGATE,
            machine=fit[0].machine,
            capacity_provider=provider,
            availability_zone=fit[0].attributes["ecs.availability-zone"] or "",
            platform_version=_platform_version(request),
        )
        tasks.append(new_task(call, wanted, ask, destination))
    return tasks, failures


def _platform_version(request: Members) -> str:
    given = request.get("platformVersion") or "LATEST"
    if given in {"LATEST", PLATFORM_VERSION}:
        return PLATFORM_VERSION
    raise errors.invalid_parameter(f"The platform version {given} is not valid: use LATEST.")


def _as_candidate(view: View, call: Call, machine: Machine) -> Candidate:
    instance = ContainerInstance(
        scope=call.scope,
        cluster="",
        id=machine.id,
        machine=machine.id,
        ec2_instance_id="",
        registered_at=machine.registered_at,
    )
    known = {a.name: a.value for a in machine.attributes}
    known["ecs.availability-zone"] = placing.zone_of(call, machine)
    return replace(placing.candidate(view, instance), attributes=known)


def _start_on(
    tx: Transaction, call: Call, wanted: TaskRequest, ask: Ask, reference: str
) -> Task | Members:
    cluster = wanted.cluster.name
    identifier = references.instance_id(call, cluster, reference)
    instance = tx.get(CONTAINER_INSTANCES, call.scope, instance_key(cluster, identifier))
    if instance is None:
        arn = call.scope.arn("ecs", f"container-instance/{cluster}/{identifier}")
        return errors.failure(arn, "MISSING")
    rejection = filters.reject(ask, placing.candidate(tx, instance))
    if rejection is not None:
        return errors.failure(instance.arn, str(rejection))
    return _on_instance(tx, call, wanted, ask, instance)


def _repeated(tx: Transaction, call: Call, request: Members) -> Members | None:
    """The answer of the call that used the same client token before."""
    token = request.get("clientToken")
    if not token:
        return None
    if len(token) > TOKEN_LIMIT:
        raise errors.invalid_parameter(f"clientToken can have at most {TOKEN_LIMIT} characters.")
    known = tx.get(IDEMPOTENCY, call.scope, token)
    if known is None:
        return None
    if known.fingerprint != _fingerprint(request):
        raise errors.conflict(
            "The client token was used before with other parameters.", known.resources
        )
    tasks = [_task(tx, call, arn) for arn in known.resources]
    return {"tasks": [show(t, with_tags=True) for t in tasks if t], "failures": []}


def _remember(tx: Transaction, call: Call, request: Members, tasks: Sequence[Task]) -> None:
    if request.get("clientToken"):
        record = Idempotency(
            scope=call.scope,
            token=request["clientToken"],
            fingerprint=_fingerprint(request),
            resources=tuple(task.arn for task in tasks),
            created_at=call.now,
        )
        tx.put(IDEMPOTENCY, record)


def _task(view: View, call: Call, arn: str) -> Task | None:
    parsed = parse_arn(arn)
    key = parsed.resource.removeprefix("task/") if parsed else ""
    return view.get(TASKS, call.scope, key)


def _fingerprint(request: Members) -> str:
    text = json.dumps(request, default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
