from __future__ import annotations

import pytest

from edge_world import World
from openecs.edge.edge import Edge


@pytest.fixture
async def world(tmp_path):
    world = World(tmp_path / "envoy")
    yield world
    Edge(store=world.store, directory=world.directory, address="127.0.0.1").stop()
