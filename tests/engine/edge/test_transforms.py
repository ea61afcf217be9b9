"""Transforms of rules on a real Envoy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_world import GROUP, says, to, upstream
from openecs.model.load_balancing import Condition, Rewrite, Transform

ANY = Condition(field="path-pattern", values=("*",))


def url(regex: str, replaced: str) -> Transform:
    return Transform(type="url-rewrite", rewrites=(Rewrite(regex=regex, replace=replaced),))


def host(regex: str, replaced: str) -> Transform:
    return Transform(type="host-header-rewrite", rewrites=(Rewrite(regex=regex, replace=replaced),))


@pytest.mark.parametrize("attributes", [{}, {"stickiness.enabled": "true"}])
async def test_targets_see_another_url_and_host(world, attributes) -> None:
    group = replace(GROUP, attributes=attributes)
    transforms = (
        url(r"^/api/(\w+)\?id=(\d+)", r"/v2/$1/$2\x?was=api"),
        host(r"^(.+)\.example\.com$", "$1.internal"),
    )
    async with upstream("a") as a, world.edge():
        await world.balance(group)
        await world.serve(a)
        await world.rule(1, to(group), ANY, transforms=transforms)
        path = "/api/cats?id=12&more=1"
        name = "Shop.Example.com:81"
        _, body, _ = await world.until(lambda _, body: "GET /v2/" in body, path=path, host=name)
        assert "GET /v2/cats/12\\x?was=api&more=1 HTTP/1.1\r\n" in body
        assert "host: Shop.internal\r\n" in body
        _, body, _ = await world.get("/other?id=1", host="a.org:81")
        assert "GET /other?id=1 HTTP/1.1" in body
        assert "host: a.org:81\r\n" in body


@pytest.mark.parametrize("transform", [url("^/", "no path"), host("^.*$", "a b")])
async def test_what_would_be_no_request_is_an_error(world, transform) -> None:
    async with upstream("a") as a, world.edge():
        await world.balance(GROUP)
        await world.serve(a)
        await world.until(says("a"))
        await world.rule(1, to(GROUP), ANY, transforms=(transform,))
        _, _, headers = await world.until(lambda status, _: status == 500)
    assert headers["server"] == "awselb/2.0"
