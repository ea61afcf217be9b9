"""Security groups at the doors of a real Envoy: 127.0.0.2 plays a client of another machine."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from edge_world import GROUP, says, upstream
from openecs.edge.snapshot import Doors
from openecs.model.network import SecurityGroup, SecurityGroupRule
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, SECURITY_GROUPS
from openecs.testing.builders import SCOPE, a_listener

pytestmark = pytest.mark.engine

STRANGER = "127.0.0.2"


def a_guard(*blocks: str, name="sg-1", protocol="tcp", port=None) -> SecurityGroup:
    rules = tuple(
        SecurityGroupRule(
            id=f"sgr-{number}",
            is_egress=False,
            protocol=protocol,
            from_port=port,
            to_port=port,
            cidr_ipv4=block,
        )
        for number, block in enumerate(blocks)
    )
    return SecurityGroup(
        scope=SCOPE, id=name, name=name, description=name, vpc_id="vpc-1", rules=rules
    )


@pytest.fixture
def world(world):
    world.doors = Doors("127.0.0.1", ("127.0.0.1/32",))
    world.balancer = replace(world.balancer, security_groups=("sg-1",))
    return world


async def until_status(world, status, **request):
    async with asyncio.timeout(15):
        while (await world.get(**request))[0] != status:
            await asyncio.sleep(0.02)


async def test_requests_from_elsewhere_are_let_in_by_rules_and_this_machine_always(world):
    async with upstream("a") as port, world.edge():
        await world.put(SECURITY_GROUPS, a_guard())
        await world.balance(GROUP)
        await world.serve(port)
        await world.until(says("a"))
        assert (await world.get(client=STRANGER))[0] == 403
        await world.put(SECURITY_GROUPS, a_guard("127.0.0.2/32", port=world.port))
        await world.until(says("a"), client=STRANGER)
        await world.put(SECURITY_GROUPS, a_guard("127.0.0.2/32", port=world.port + 1))
        await until_status(world, 403, client=STRANGER)
        await world.put(SECURITY_GROUPS, a_guard("0.0.0.0/0"))
        await world.until(says("a"), client=STRANGER)
        # Rules for everybody, and then for nobody.
        await world.put(SECURITY_GROUPS, a_guard())
        await until_status(world, 403, client=STRANGER)
        await world.until(says("a"))


async def test_load_balancers_that_share_a_port_have_each_their_own(world):
    closed = replace(
        world.balancer,
        name="closed",
        id="7".zfill(16),
        dns_name="closed.elb.localhost",
        loopback_address="127.64.250.7",
        security_groups=("sg-2",),
    )
    async with upstream("a") as port, world.edge():
        await world.put(SECURITY_GROUPS, a_guard("0.0.0.0/0"), a_guard(name="sg-2"))
        await world.balance(GROUP)
        await world.put(LOAD_BALANCERS, closed)
        second = replace(a_listener(GROUP), port=world.port, load_balancer=closed.path, id="5" * 16)
        await world.put(LISTENERS, second)
        await world.serve(port)
        await world.until(says("a"), client=STRANGER)
        await world.until(says("a"), host=closed.dns_name)
        assert (await world.get(client=STRANGER, host=closed.dns_name))[0] == 403
        await world.until(says("a"), client=STRANGER)


async def answered(port: int, client: str) -> bytes:
    """What comes back by TCP; nothing where the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(client, 0))
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        return await reader.readline()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_connections_of_network_load_balancers_are_closed(world):
    async with upstream("a") as port, world.edge():
        await world.put(SECURITY_GROUPS, a_guard())
        await world.balance(GROUP, protocol="TCP")
        await world.serve(port)
        async with asyncio.timeout(15):
            found = b""
            while not found:
                with contextlib.suppress(ConnectionError):
                    found = await answered(world.port, "127.0.0.1")
                await asyncio.sleep(0.02)
        assert found == b"HTTP/1.1 200 OK\r\n"
        assert await answered(world.port, STRANGER) == b""
        await world.put(SECURITY_GROUPS, a_guard("127.0.0.2/32"))
        async with asyncio.timeout(15):
            while await answered(world.port, STRANGER) != b"HTTP/1.1 200 OK\r\n":
                await asyncio.sleep(0.02)


async def test_without_security_groups_a_network_load_balancer_is_for_all(world):
    world.balancer = replace(world.balancer, security_groups=())
    async with upstream("a") as port, world.edge():
        await world.balance(GROUP)
        await world.serve(port)
        await world.until(says("a"), client=STRANGER)


class _Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, where):
        self.transport.sendto(data, where)


class _Heard(asyncio.DatagramProtocol):
    def __init__(self):
        self.answers = asyncio.Queue()

    def datagram_received(self, data, _):
        self.answers.put_nowait(data)


async def echoes(port: int, client: str, tries: int) -> bool:
    """Whether a datagram comes back, of so many sent."""
    loop = asyncio.get_running_loop()
    transport, heard = await loop.create_datagram_endpoint(
        _Heard, local_addr=(client, 0), remote_addr=("127.0.0.1", port)
    )
    try:
        for _ in range(tries):
            transport.sendto(b"hello")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await heard.answers.get()
                    return True
        return False
    finally:
        transport.close()


async def test_datagrams_of_strangers_are_dropped(world):
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(_Echo, local_addr=("127.0.0.1", 0))
    try:
        async with world.edge():
            await world.put(SECURITY_GROUPS, a_guard("127.0.0.3/32", protocol="udp"))
            group = replace(GROUP, protocol="UDP")
            await world.balance(group, protocol="UDP")
            await world.serve(echo.get_extra_info("sockname")[1], group)
            assert await echoes(world.port, "127.0.0.1", 100)
            assert await echoes(world.port, "127.0.0.3", 100)
            assert not await echoes(world.port, STRANGER, 5)
    finally:
        echo.close()
