"""Access logs of a real Envoy, from requests to delivered files."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import shlex
from dataclasses import replace

from edge_world import GROUP, OTHER, fixed, says, upstream
from openecs.model.load_balancing import Action, Condition, RedirectAction
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, TARGET_GROUPS
from openecs.testing.builders import a_listener, a_load_balancer

LOGGED = {
    "access_logs.s3.enabled": "true",
    "access_logs.s3.bucket": "my-logs",
    "access_logs.s3.prefix": "web",
}


async def delivered(world, edge, holds) -> list[list[str]]:
    """The lines of all files as soon as they are as they should be."""
    async with asyncio.timeout(30):
        while True:
            await edge.deliveries.deliver()
            files = sorted((world.directory.parent / "logs").rglob("*.log.gz"))
            text = "".join(gzip.decompress(file.read_bytes()).decode() for file in files)
            lines = [shlex.split(line) for line in text.splitlines()]
            if holds(lines):
                return lines
            await asyncio.sleep(0.05)


async def test_requests_are_logged_as_aws_does(world) -> None:
    world.balancer = replace(world.balancer, attributes=LOGGED)
    redirect = RedirectAction(status_code="HTTP_301", protocol="HTTPS", port="443")
    async with upstream("a") as a, world.edge() as edge:
        await world.balance(GROUP)
        await world.serve(a)
        await world.rule(7, fixed("x"), Condition(field="path-pattern", values=("/fixed",)))
        action = Action(type="redirect", redirect=redirect)
        await world.rule(9, action, Condition(field="path-pattern", values=("/gone",)))
        await world.until(lambda status, _: status == 301, path="/gone")
        await world.until(says("a"), path="/hello?q=1", headers={"User-Agent": 'say "hi"'})
        await world.get("/fixed", address=world.balancer.loopback_address)
        paths = {"/gone", "/fixed", "/hello?q=1"}

        def holds(lines) -> bool:
            return {each[12].split()[1].partition(f":{world.port}")[2] for each in lines} >= paths

        lines = await delivered(world, edge, holds)
        (file,) = {file.parent for file in (world.directory.parent / "logs").rglob("*.gz")}
    scope = world.balancer.scope
    key = f"my-logs/web/AWSLogs/{scope.account}/elasticloadbalancing/{scope.region}/2026/01/02"
    assert file == world.directory.parent / "logs" / key
    by_path = {each[12].split()[1].partition(f":{world.port}")[2]: each for each in lines}
    assert all(len(each) == 33 for each in lines)
    hello = by_path["/hello?q=1"]
    assert (hello[0], hello[2], hello[4]) == ("http", world.balancer.path, f"127.0.0.1:{a}")
    assert all(0 <= float(each) < 5 for each in hello[5:8])
    assert (hello[8:10], hello[13]) == (["200", "200"], "say \\x22hi\\x22")
    assert (hello[16], hello[17][:7]) == (GROUP.arn, "Root=1-")
    assert (hello[20], hello[22], hello[23]) == ("0", "forward", "-")
    assert by_path["/fixed"][4:10] == ["-", "-1", "-1", "-1", "200", "-"]
    assert (by_path["/fixed"][20], by_path["/fixed"][22]) == ("7", "fixed-response")
    gone = by_path["/gone"]
    host = world.balancer.dns_name
    assert (gone[8], gone[20], gone[22]) == ("301", "9", "redirect")
    assert gone[23] == f"https://{host}:443/gone"
    assert len({each[17] for each in by_path.values()}) == 3


async def test_a_client_that_went_is_logged_as_460(world) -> None:
    world.balancer = replace(world.balancer, attributes=LOGGED)
    asked = asyncio.Event()

    async def never(reader, writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with server, world.edge() as edge:
        await world.balance(GROUP)
        await world.until(lambda status, _: status == 503)
        await world.serve(server.sockets[0].getsockname()[1])
        async with asyncio.timeout(15):
            while not asked.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(world.get("/slow"), 0.2)
        await delivered(world, edge, lambda lines: "460" in {each[8] for each in lines})


async def test_who_shares_a_door_is_logged_apart(world) -> None:
    world.balancer = replace(world.balancer, attributes=LOGGED)
    other = a_load_balancer("side", id="7".zfill(16), loopback_address="127.65.1.1")
    logged = {**LOGGED, "access_logs.s3.bucket": "other-logs"}
    async with upstream("a") as a, upstream("b") as b, world.edge() as edge:
        await world.put(LOAD_BALANCERS, replace(other, attributes=logged))
        await world.put(TARGET_GROUPS, OTHER)
        listener = a_listener(OTHER, load_balancer=other.path, port=world.port)
        await world.balance(GROUP)
        await world.put(LISTENERS, replace(listener, created_at=listener.created_at.replace(2027)))
        await world.serve(a)
        await world.serve(b, OTHER)
        await world.until(says("b"), host=other.dns_name)
        await world.until(says("a"))

        def holds(lines) -> bool:
            return {each[2] for each in lines if each[8] == "200"} == {
                world.balancer.path,
                other.path,
            }

        lines = await delivered(world, edge, holds)
    pairs = {(each[2], each[16]) for each in lines if each[8] == "200"}
    assert pairs == {(world.balancer.path, GROUP.arn), (other.path, OTHER.arn)}
