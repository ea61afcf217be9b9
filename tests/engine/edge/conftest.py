from __future__ import annotations

import pytest

from edge_world import World


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path / "envoy")
    yield world
    world.an_edge().stop()
