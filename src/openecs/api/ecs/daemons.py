"""Managed daemons: create, update, delete, describe, list.

An operation writes what is wanted, a revision and a deployment that has it as its target; the
control loop (``control.daemons``) brings it about. API Reference, ``CreateDaemon``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ecs import daemon_references, daemon_requests, errors, tags
from openecs.api.ecs.client_tokens import Tokens, used_otherwise
from openecs.api.ecs.daemon_views import live_tasks, show_daemon
from openecs.api.ecs.paging import open_page
from openecs.api.ecs.references import capacity_provider_name
from openecs.model.daemons import (
    ContainerImage,
    Daemon,
    DaemonDeployment,
    DaemonDeploymentConfiguration,
    DaemonDeploymentStatus,
    DaemonRevision,
    DaemonStatus,
    DaemonTaskDefinition,
    MonitorStatus,
)
from openecs.store.base import Transaction, View
from openecs.store.kinds import (
    DAEMON_DEPLOYMENTS,
    DAEMON_REVISIONS,
    DAEMONS,
    daemon_key,
    part_key,
)

TOKENS = Tokens(operation="CreateDaemon", mismatch=used_otherwise)
SUPERSEDED = "Deployment superseded by a new deployment."

#: What of a revision an update need not give, as it is called here and by AWS.
_SETTINGS = {
    "propagate_tags": "propagateTags",
    "enable_ecs_managed_tags": "enableECSManagedTags",
    "enable_execute_command": "enableExecuteCommand",
    "critical": "critical",
}

_UNDER_WAY = (
    DaemonDeploymentStatus.PENDING,
    DaemonDeploymentStatus.IN_PROGRESS,
    DaemonDeploymentStatus.ROLLBACK_IN_PROGRESS,
)


def create_daemon(tx: Transaction, call: Call, request: Members) -> Members:
    """Create a daemon and its first deployment. A client token makes repeating it harmless."""
    if repeated := _repeated(tx, call, request):
        return _created(repeated)
    cluster = daemon_requests.cluster_of(tx, call, request)
    name = request["daemonName"]
    daemon_requests.check_name(name)
    if tx.get(DAEMONS, call.scope, daemon_key(cluster.name, name)) is not None:
        raise errors.invalid_parameter("Creation of daemon was not idempotent.")
    daemon = Daemon(
        scope=call.scope,
        cluster=cluster.name,
        name=name,
        deployment=_deployment_id(call),
        created_at=call.now,
        updated_at=call.now,
        tags=tags.parse(request.get("tags")),
    )
    configuration = daemon_requests.configuration(request, DaemonDeploymentConfiguration())
    _deploy(tx, daemon, _revision(tx, call, request, daemon), configuration)
    TOKENS.remember(tx, call, request, [daemon.arn])
    return _created(daemon)


def update_daemon(tx: Transaction, call: Call, request: Members) -> Members:
    """Deploy a new revision; what is not given stays. A deployment under way ends with it."""
    known = _active(tx, call, request["daemonArn"])
    previous = _stop_deployment(tx, call, known)
    daemon = replace(known, deployment=_deployment_id(call), updated_at=call.now)
    before = tx.get(DAEMON_REVISIONS, call.scope, _part_key(daemon, previous.target or ""))
    revision = _revision(tx, call, request, daemon, before)
    configuration = daemon_requests.configuration(request, previous.configuration)
    _deploy(tx, daemon, revision, configuration)
    return _answer(daemon)


def delete_daemon(tx: Transaction, call: Call, request: Members) -> Members:
    """Begin to stop the daemon's tasks; it is gone when the last one has stopped."""
    known = _active(tx, call, request["daemonArn"])
    previous = _stop_deployment(tx, call, known)
    deleting = DaemonStatus.DELETE_IN_PROGRESS
    daemon = replace(known, status=deleting, deployment=_deployment_id(call), updated_at=call.now)
    _deploy(tx, daemon, None, previous.configuration)
    return _answer(daemon)


def describe_daemon(view: View, call: Call, request: Members) -> Members:
    """The daemon, until it is deleted altogether."""
    daemon = daemon_references.find_daemon(view, call, request["daemonArn"])
    return {"daemon": show_daemon(view, daemon, _deployment(view, daemon))}


def list_daemons(view: View, call: Call, request: Members) -> Members:
    """The daemons of a cluster, all of them or those of the named capacity providers."""
    page = open_page(call, "ListDaemons", request)
    cluster = daemon_requests.cluster_of(view, call, request)
    given = request.get("capacityProviderArns") or ()
    wanted = {capacity_provider_name(call, each) for each in given}

    def scan(after: str, limit: int) -> Sequence[Daemon]:
        prefix = f"{cluster.name}/"
        return view.scan(DAEMONS, call.scope, prefix=prefix, after=after, limit=limit)

    def is_listed(daemon: Daemon) -> bool:
        return not wanted or bool(wanted & set(_providers(view, daemon)))

    shown, token = page.take(scan, DAEMONS.key, is_listed)
    return {"daemonSummariesList": [_summary(each) for each in shown], "nextToken": token}


OPERATIONS: dict[str, Operation] = {
    "CreateDaemon": Writes(create_daemon),
    "UpdateDaemon": Writes(update_daemon),
    "DeleteDaemon": Writes(delete_daemon),
    "DescribeDaemon": Reads(describe_daemon),
    "ListDaemons": Reads(list_daemons),
}


def _repeated(view: View, call: Call, request: Members) -> Daemon | None:
    """The daemon that the same client token created before, if it still exists."""
    arns = TOKENS.resources(view, call, request)
    return daemon_references.daemon_of(view, call, arns[0]) if arns else None


def _active(view: View, call: Call, arn: str) -> Daemon:
    daemon = daemon_references.find_daemon(view, call, arn)
    if daemon.status is not DaemonStatus.ACTIVE:
        raise ServiceError("DaemonNotActiveException", "Daemon was not ACTIVE.")
    return daemon


def _deployment(view: View, daemon: Daemon) -> DaemonDeployment:
    found = view.get(DAEMON_DEPLOYMENTS, daemon.scope, _part_key(daemon, daemon.deployment))
    if found is None:
        raise LookupError(f"{daemon.arn} has no deployment {daemon.deployment}")
    return found


def _stop_deployment(tx: Transaction, call: Call, daemon: Daemon) -> DaemonDeployment:
    """The newest deployment, over now if it was not before."""
    deployment = _deployment(tx, daemon)
    if deployment.status not in _UNDER_WAY:
        return deployment
    stopped = replace(
        deployment,
        status=DaemonDeploymentStatus.STOPPED,
        status_reason=SUPERSEDED,
        breaker_status=MonitorStatus.MONITORING_COMPLETE,
        stopped_at=call.now,
    )
    tx.put(DAEMON_DEPLOYMENTS, stopped)
    return stopped


def _revision(
    tx: Transaction,
    call: Call,
    request: Members,
    daemon: Daemon,
    before: DaemonRevision | None = None,
) -> DaemonRevision:
    """The revision a request describes; what it leaves open is as in the revision ``before``."""
    definition = daemon_requests.definition(tx, call, request["daemonTaskDefinitionArn"])
    providers = request["capacityProviderArns"]
    kept = {field: getattr(before, field) for field in _SETTINGS} if before else {}
    given = {f: request[name] for f, name in _SETTINGS.items() if request.get(name) is not None}
    revision = DaemonRevision(
        scope=call.scope,
        cluster=daemon.cluster,
        daemon=daemon.name,
        id=call.ids.digits(19),
        family=definition.runs.family,
        revision=definition.runs.revision,
        capacity_providers=daemon_requests.provider_names(tx, call, daemon.cluster, providers),
        container_images=_images(definition),
        created_at=call.now,
        **{**kept, **given},
    )
    tx.put(DAEMON_REVISIONS, revision)
    return revision


def _images(definition: DaemonTaskDefinition) -> tuple[ContainerImage, ...]:
    return tuple(
        ContainerImage(container_name=c.name, image=c.image)
        for c in definition.runs.container_definitions
    )


def _deploy(
    tx: Transaction,
    daemon: Daemon,
    target: DaemonRevision | None,
    configuration: DaemonDeploymentConfiguration,
) -> None:
    """Record the daemon and its new deployment of ``target``; None: that takes it away."""
    deployed = dict.fromkeys(t.started_by or "" for t in live_tasks(tx, daemon))
    deployment = DaemonDeployment(
        scope=daemon.scope,
        cluster=daemon.cluster,
        daemon=daemon.name,
        id=daemon.deployment,
        target=target.id if target else None,
        sources=tuple(deployed),
        configuration=configuration,
        breaker_status=MonitorStatus.MONITORING if target else MonitorStatus.DISABLED,
        created_at=daemon.updated_at,
    )
    tx.put(DAEMONS, daemon)
    tx.put(DAEMON_DEPLOYMENTS, deployment)


def _deployment_id(call: Call) -> str:
    return call.ids.hex32()


def _part_key(daemon: Daemon, part: str) -> str:
    return part_key(daemon.cluster, daemon.name, part)


def _providers(view: View, daemon: Daemon) -> Sequence[str]:
    key = _part_key(daemon, _deployment(view, daemon).wanted or "")
    revision = view.get(DAEMON_REVISIONS, daemon.scope, key)
    return revision.capacity_providers if revision else ()


def _answer(daemon: Daemon) -> Members:
    return {**_created(daemon), "updatedAt": daemon.updated_at}


def _created(daemon: Daemon) -> Members:
    deployment = part_key(daemon.cluster, daemon.name, daemon.deployment)
    return {
        "daemonArn": daemon.arn,
        "status": str(daemon.status),
        "createdAt": daemon.created_at,
        "deploymentArn": daemon.scope.arn("ecs", f"daemon-deployment/{deployment}"),
    }


def _summary(daemon: Daemon) -> Members:
    return {
        "daemonArn": daemon.arn,
        "status": str(daemon.status),
        "createdAt": daemon.created_at,
        "updatedAt": daemon.updated_at,
    }
