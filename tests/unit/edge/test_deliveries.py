from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import msgspec
import pytest

from noted_requests import ENTRY
from openecs.edge.deliveries import Deliveries

FOLDER = Path("logs/AWSLogs/1/elasticloadbalancing/r")
NOTED = FOLDER / "1_elasticloadbalancing_r_app.web.9_127.0.0.3.json"


class Reopened:
    """An Envoy that counts how often it is to open its files anew."""

    times = 0

    async def reopen_logs(self) -> None:
        self.times += 1


@pytest.fixture
def place(tmp_path):
    """Where notes are, where logs go, an Envoy, and what delivers."""
    (tmp_path / "notes" / FOLDER).mkdir(parents=True)
    began, minutes = datetime(2026, 1, 2, 23, 55, tzinfo=UTC), count(0, 5)
    envoy = Reopened()
    deliveries = Deliveries(
        envoy=envoy,
        notes=tmp_path / "notes",
        logs=tmp_path,
        clock=lambda: began + timedelta(minutes=next(minutes)),
    )
    return tmp_path, envoy, deliveries


def files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.log.gz"))


def lines(file: Path) -> list[str]:
    return gzip.decompress(file.read_bytes()).decode().splitlines()


async def test_what_was_taken_is_delivered_the_next_time(place) -> None:
    directory, envoy, deliveries = place
    noted = directory / "notes" / NOTED
    whole = msgspec.json.encode(ENTRY) + b"\n"
    noted.write_bytes(whole + whole[:40])
    await deliveries.deliver()
    assert (files(directory), envoy.times, noted.exists()) == ([], 1, False)
    noted.write_bytes(whole * 2)
    await deliveries.deliver()
    await deliveries.deliver()
    first, second = files(directory)
    assert first.parent == directory / FOLDER / "2026" / "01" / "02"
    assert second.parent == directory / FOLDER / "2026" / "01" / "03"
    assert [len(lines(file)) for file in (first, second)] == [1, 2]
    assert lines(first)[0].split()[2] == "app/web/9"
    assert list((directory / "notes").rglob("*.*")) == []


async def test_a_delivery_that_was_cut_short_is_made_again(place) -> None:
    directory, _, deliveries = place
    (directory / "notes" / NOTED).write_bytes(msgspec.json.encode(ENTRY) + b"\n")
    await deliveries.deliver()
    (taken,) = (directory / "notes").rglob("*.taken")
    kept = taken.read_bytes()
    await deliveries.deliver()
    taken.write_bytes(kept)
    await deliveries.deliver()
    assert len(files(directory)) == 1


async def test_nothing_noted_is_nothing_delivered(place) -> None:
    directory, envoy, deliveries = place
    (directory / "notes" / NOTED).touch()
    await deliveries.deliver()
    assert (files(directory), envoy.times) == ([], 0)
