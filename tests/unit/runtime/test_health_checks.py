"""Who runs health checks where the engine may leave them to others."""

import asyncio

from openecs.runtime.docker import health
from openecs.runtime.docker.client import EngineRefusal
from openecs.runtime.docker.health import HealthChecks
from openecs.runtime.docker.podman import owners

INTERVAL = 0.01


class Engine:
    """Answers as Podman; checks by itself where it has timers."""

    def __init__(self, *, has_timers: bool, statuses=("healthy",)) -> None:
        self._has_timers = has_timers
        self._statuses = list(statuses)
        self.asked: list[str] = []
        self.ended = asyncio.Event()

    async def call(self, _method: str, path: str):
        self.asked.append(path)
        if path.endswith("/json"):
            return shown(last_check="1" if self._has_timers else None)
        if not self._statuses:
            self.ended.set()
            raise EngineRefusal(409, "container is not running")
        return {"Status": self._statuses.pop(0)}


def shown(*, last_check=None, running=True, test=("CMD", "true")):
    log = [{"Start": last_check}] if last_check else None
    return {
        "Id": "1",
        "Name": "/a",
        "State": {"Running": running, "Health": {"Status": "starting", "Log": log}},
        "Config": {"Healthcheck": {"Test": list(test), "Interval": INTERVAL * health.SECOND}},
    }


async def test_an_engine_with_timers_is_left_alone(monkeypatch):
    monkeypatch.setattr(health, "LATE", 0.0)
    engine = Engine(has_timers=True)
    checks = HealthChecks(engine)
    checks.follow(shown())
    async with asyncio.timeout(5):
        while not engine.asked:
            await asyncio.sleep(0.001)
    await asyncio.sleep(3 * INTERVAL)
    checks.follow(shown())
    await checks.close()
    assert engine.asked == ["/containers/1/json"]


async def test_an_engine_without_timers_is_asked_until_the_container_ends(monkeypatch):
    monkeypatch.setattr(health, "LATE", 0.0)
    engine = Engine(has_timers=False, statuses=["starting", "healthy", "healthy", "unhealthy"])
    checks = HealthChecks(engine)
    checks.follow(shown())
    checks.follow(shown())
    async with asyncio.timeout(5):
        await engine.ended.wait()
    assert engine.asked.count("/libpod/containers/1/healthcheck") == 5
    assert [checks.news.get_nowait().name for _ in range(checks.news.qsize())] == ["a", "a"]
    await checks.close()


async def test_what_does_not_run_or_has_no_check_is_not_followed():
    engine = Engine(has_timers=False)
    checks = HealthChecks(engine)
    checks.follow(shown(running=False))
    checks.follow(shown(test=("NONE",)))
    await asyncio.sleep(3 * INTERVAL)
    assert engine.asked == []


def test_owners_are_those_whose_namespaces_are_joined():
    config = {"NetworkMode": "container:a", "PidMode": "container:a", "IpcMode": "private"}
    assert owners({"HostConfig": config}) == {"a"}
    assert owners({"HostConfig": {"NetworkMode": "bridge"}}) == set()
    assert owners({}) == set()
