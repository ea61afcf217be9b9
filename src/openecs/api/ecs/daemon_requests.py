"""What CreateDaemon and UpdateDaemon ask for, checked before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from openecs.api import shapes
from openecs.api.base import Call, Members
from openecs.api.ecs import daemon_references, errors, references
from openecs.api.ecs.deployment_configurations import check_alarms
from openecs.api.ecs.references import NAME
from openecs.decide.refusals import refusals
from openecs.model.clusters import Cluster
from openecs.model.daemons import (
    DaemonDeploymentConfiguration,
    DaemonTaskDefinition,
    DaemonTaskDefinitionStatus,
)
from openecs.store.base import View
from openecs.store.kinds import CAPACITY_PROVIDERS

_LONGEST_BAKE = 1440


def check_name(name: str) -> None:
    """Raise ``InvalidParameterException`` for what cannot be the name of a daemon."""
    if not NAME.fullmatch(name):
        raise errors.invalid_parameter(
            "The specified daemon name is invalid. Up to 255 letters (uppercase and lowercase), "
            "numbers, underscores, and hyphens are allowed."
        )


def definition(view: View, call: Call, reference: str) -> DaemonTaskDefinition:
    """The ACTIVE daemon task definition that is named, one whose tasks can run here.

    Raises ``ClientException``, ``InvalidParameterException``.
    """
    found = daemon_references.find_definition(view, call, reference)
    if found is None:
        raise errors.client("DaemonTaskDefinition not found.")
    if found.status is not DaemonTaskDefinitionStatus.ACTIVE:
        raise errors.invalid_parameter("DaemonTaskDefinition is inactive")
    if reasons := refusals(found.runs, call.settings.file_systems):
        raise errors.client(reasons[0])
    return found


def provider_names(view: View, call: Call, cluster: str, given: Sequence[str]) -> tuple[str, ...]:
    """The names of the Managed Instances providers of the cluster that are given, each once.

    Raises ``InvalidParameterException`` for none at all and for any other provider.
    """
    names = tuple(dict.fromkeys(references.capacity_provider_name(call, each) for each in given))
    if not names:
        raise errors.invalid_parameter("Capacity providers cannot be empty.")
    for name in names:
        _check_provider(view, call, cluster, name)
    return names


def configuration(
    request: Members, known: DaemonDeploymentConfiguration
) -> DaemonDeploymentConfiguration:
    """The ``known`` configuration with what the request gives in place of it."""
    given = request.get("deploymentConfiguration")
    if given is None:
        return known
    check_alarms(given.get("alarms") or {})
    wanted = shapes.from_members(
        DaemonDeploymentConfiguration, {**shapes.to_members(known), **given}
    )
    if not 0 <= wanted.drain_percent <= 100:
        raise errors.invalid_parameter("drainPercent must be between 0.0 and 100.0.")
    if not 0 <= wanted.bake_time_in_minutes <= _LONGEST_BAKE:
        raise errors.invalid_parameter(f"bakeTimeInMinutes must be between 0 and {_LONGEST_BAKE}.")
    return wanted


def cluster_of(view: View, call: Call, request: Members) -> Cluster:
    """The ACTIVE cluster of a request. Raises ``ClusterNotFoundException``."""
    return references.active_cluster(view, call, request.get("clusterArn"))


def _check_provider(view: View, call: Call, cluster: str, name: str) -> None:
    provider = view.get(CAPACITY_PROVIDERS, call.scope, name)
    if provider is None or provider.managed_instances_provider is None:
        raise errors.invalid_parameter(
            f"The capacity provider {name} is not valid. Daemons are only supported for Amazon "
            "ECS Managed Instances capacity providers."
        )
    if provider.cluster != cluster:
        raise errors.invalid_parameter(
            f"The capacity provider {name} is not associated with the cluster. Associate the "
            "capacity provider with the cluster and try again."
        )
