from __future__ import annotations

import pytest

from openecs.api.ecs import SERVICE
from operations_world import World


@pytest.fixture
def world() -> World:
    return World(SERVICE)
