"""The history of daemons: their deployments and revisions, described and listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.ecs import daemon_references, errors
from openecs.api.ecs.daemon_views import show_deployment, show_deployment_summary, show_revision
from openecs.api.ecs.paging import open_page
from openecs.model.daemons import DaemonDeployment
from openecs.store.base import View
from openecs.store.kinds import DAEMON_DEPLOYMENTS, DAEMON_REVISIONS, daemon_key

_BATCH = 20


def list_daemon_deployments(view: View, call: Call, request: Members) -> Members:
    """The deployments of a daemon, newest first, of some statuses or of some time."""
    cluster, name = daemon_references.names_of_daemon(call, request["daemonArn"])
    # A page's token holds a digest of the request, so that has to be plain.
    plain = {**request, "createdAt": str(request.get("createdAt"))}
    page = open_page(call, "ListDaemonDeployments", plain, default=20)
    prefix = f"{daemon_key(cluster, name)}/"
    found = view.scan(DAEMON_DEPLOYMENTS, call.scope, prefix=prefix)
    listed = sorted((d for d in found if _is_listed(d, request)), key=_order, reverse=True)
    rest = [d for d in listed if not page.after or _order(d) < page.after]
    shown, token = page.cut(rest, _order)
    return {
        "daemonDeployments": [show_deployment_summary(each) for each in shown],
        "nextToken": token,
    }


def describe_daemon_deployments(view: View, call: Call, request: Members) -> Members:
    """The named deployments; those that do not exist are ``failures``."""

    def show(arn: str) -> Members | None:
        key = daemon_references.key_of_part(call, arn, "daemon-deployment")
        found = view.get(DAEMON_DEPLOYMENTS, call.scope, key)
        return show_deployment(view, found) if found else None

    shown, failures = _each(request["daemonDeploymentArns"], show)
    return {"daemonDeployments": shown, "failures": failures}


def describe_daemon_revisions(view: View, call: Call, request: Members) -> Members:
    """The named revisions; those that do not exist are ``failures``."""

    def show(arn: str) -> Members | None:
        key = daemon_references.key_of_part(call, arn, "daemon-revision")
        found = view.get(DAEMON_REVISIONS, call.scope, key)
        return show_revision(found) if found else None

    shown, failures = _each(request["daemonRevisionArns"], show)
    return {"daemonRevisions": shown, "failures": failures}


OPERATIONS: dict[str, Operation] = {
    "ListDaemonDeployments": Reads(list_daemon_deployments),
    "DescribeDaemonDeployments": Reads(describe_daemon_deployments),
    "DescribeDaemonRevisions": Reads(describe_daemon_revisions),
}


def _is_listed(deployment: DaemonDeployment, request: Members) -> bool:
    statuses = request.get("status")
    if statuses and deployment.status not in statuses:
        return False
    time = request.get("createdAt") or {}
    before, after = time.get("before"), time.get("after")
    if before is not None and deployment.created_at >= before:
        return False
    return after is None or bool(deployment.created_at > after)


def _order(deployment: DaemonDeployment) -> str:
    return f"{deployment.created_at.isoformat(timespec='microseconds')}/{deployment.id}"


def _each(
    arns: Sequence[str], show: Callable[[str], Members | None]
) -> tuple[list[Members], list[Members]]:
    if not arns:
        raise errors.invalid_parameter("ARNs cannot be empty.")
    if len(arns) > _BATCH:
        raise errors.invalid_parameter(f"ARNs cannot have more than {_BATCH} elements.")
    shown: list[Members] = []
    failures: list[Members] = []
    for arn in dict.fromkeys(arns):
        members = show(arn)
        if members is None:
            failures.append(errors.failure(arn, "MISSING"))
        else:
            shown.append(members)
    return shown, failures
