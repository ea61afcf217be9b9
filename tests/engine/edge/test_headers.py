"""Headers that listeners add, take and rename, on a real Envoy."""

from __future__ import annotations

from dataclasses import replace

from edge_world import GROUP, OTHER, fixed, says, upstream
from openecs.model.load_balancing import Action, Condition, RedirectAction
from openecs.store.kinds import LOAD_BALANCERS, TARGET_GROUPS
from openecs.testing.builders import a_load_balancer

HSTS = "routing.http.response.strict_transport_security.header_value"
POLICY = "routing.http.response.content_security_policy.header_value"
SERVER = "routing.http.response.server.enabled"
ONE_YEAR = "max-age=31536000; includeSubDomains"


async def rules(world) -> None:
    """An answer of the load balancer's own, and a redirect."""
    path = Condition(field="path-pattern", values=("/fixed",))
    await world.rule(1, fixed("x"), path)
    moved = RedirectAction(status_code="HTTP_301", host="www.example.com")
    path = Condition(field="path-pattern", values=("/moved",))
    await world.rule(2, Action(type="redirect", redirect=moved), path)


async def test_all_answers_get_the_headers_of_their_listener(world) -> None:
    async with upstream("a", cookie="a=b\r\nContent-Security-Policy: none") as a, world.edge():
        await rules(world)
        given = {HSTS: ONE_YEAR, POLICY: "default-src 'self' 100%"}
        await world.balance(GROUP, attributes=given)
        await world.serve(a)
        _, _, first = await world.until(says("a"))
        assert first.getall("Content-Security-Policy") == ["default-src 'self' 100%"]
        for path, status in (("/", 200), ("/fixed", 200), ("/moved", 301)):
            found, _, headers = await world.get(path)
            assert (found, headers["Strict-Transport-Security"]) == (status, ONE_YEAR)


async def test_each_listener_at_a_door_has_its_own(world) -> None:
    other = a_load_balancer("side", id="7".zfill(16), loopback_address="127.65.1.1")
    async with upstream("a") as a, upstream("b") as b, world.edge():
        await world.put(LOAD_BALANCERS, other)
        await world.put(TARGET_GROUPS, OTHER)
        await world.serve(a)
        await world.serve(b, OTHER)
        await world.balance(GROUP, attributes={HSTS: ONE_YEAR})
        await world.balance(OTHER, id="8".zfill(16), load_balancer=other.path)
        _, _, headers = await world.until(says("b"), host=other.dns_name)
        assert "Strict-Transport-Security" not in headers
        _, _, headers = await world.until(says("a"))
        assert headers["Strict-Transport-Security"] == ONE_YEAR


async def test_the_load_balancer_does_not_tell_its_name_but_targets_may(world) -> None:
    async with upstream("a", cookie="a=b\r\nServer: mine") as a, world.edge():
        await rules(world)
        await world.balance(GROUP, attributes={SERVER: "false"})
        _, body, headers = await world.until(lambda status, _: status == 503)
        assert "503 Service Temporarily Unavailable" in body
        assert "Server" not in headers
        for path in ("/fixed", "/moved"):
            assert "Server" not in (await world.get(path))[2]
        await world.serve(a)
        _, _, headers = await world.until(says("a"))
        assert headers["Server"] == "mine"


async def test_what_has_no_tls_is_told_of_none(world) -> None:
    key = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
    world.balancer = replace(world.balancer, attributes={key: "true"})
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        _, body, _ = await world.until(says("a"))
        assert "x-amzn-tls" not in body
