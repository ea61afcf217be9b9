"""How many tasks a deployment may have at most, and how many have to stay healthy.

API Reference, ``DeploymentConfiguration``: the most is rounded down, the least is rounded up.
"""

from __future__ import annotations

from dataclasses import dataclass

from openecs.model.services import DeploymentConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """``ceiling``: live tasks at most; ``floor``: healthy tasks at least."""

    ceiling: int
    floor: int


def bounds(desired: int, configuration: DeploymentConfiguration) -> Bounds:
    """The bounds of a deployment towards so many tasks."""
    return Bounds(
        ceiling=desired * configuration.maximum_percent // 100,
        floor=-(-desired * configuration.minimum_healthy_percent // 100),
    )
