"""What an installation sets of its node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from openecs.runtime.base import PullBehavior, RegistryAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """How a node runs tasks. Sizes in CPU units and MiB."""

    #: Names this installation's containers; those of others are never touched.
    installation: str
    machine: str
    agent_version: str
    joins_clusters: bool = True
    pull_behavior: PullBehavior = PullBehavior.PREFER_CACHED
    reserved_cpu: int = 0
    reserved_memory: int = 0
    #: How long a stopped container stays in the engine, for ``docker logs`` and inspection.
    cleanup_wait: timedelta = timedelta(hours=3)
    #: SIGTERM to SIGKILL, for containers without a stopTimeout.
    stop_timeout: timedelta = timedelta(seconds=30)
    #: Where ``arn:aws:s3:::BUCKET/KEY`` is read: ``DIRECTORY/BUCKET/KEY``; None: nowhere.
    environment_files: Path | None = None
    #: ``fs-...`` of EFS and FSx volumes to local paths.
    file_systems: Mapping[str, str] = field(default_factory=dict)
    #: ``credentialsParameter`` (secret name or ARN) to what opens the registry.
    registries: Mapping[str, RegistryAuth] = field(default_factory=dict)
    #: How often everything is looked at anew, in case an event was lost.
    resync: timedelta = timedelta(seconds=60)
    #: How often the engine is asked whether it is there.
    heartbeat: timedelta = timedelta(seconds=5)
    #: Whether to renew, with every heartbeat, a lease that shows other processes this one lives.
    shows_life: bool = False
