"""Logs of connections, from a real Envoy to delivered files."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import shlex
import ssl
from dataclasses import replace

import aiohttp

from edge_world import BEGAN, GROUP, fixed, upstream
from made_certificates import make
from openecs.model.certificates import KeyPair
from openecs.model.load_balancing import LoadBalancerType, MutualAuthentication
from openecs.model.trust_stores import TrustStore
from openecs.store.kinds import CERTIFICATES, LISTENERS, LOAD_BALANCERS, TRUST_STORES
from openecs.testing.builders import SCOPE, a_certificate, a_listener, a_load_balancer

SERVER, ROOT = make("server.test"), make("root", ca=True)
CLIENT, STRANGER = make("client.test", by=ROOT), make("stranger.test")
SHOWN = a_certificate(key_pair=KeyPair(certificate=SERVER.pem, private_key=SERVER.key_pem))
STORE = TrustStore(
    scope=SCOPE, name="clients", id="5" * 16, ca_certificates=(ROOT.pem,), created_at=BEGAN
)


def logged(kind: str):
    return {f"{kind}.s3.enabled": "true", f"{kind}.s3.bucket": "my-logs"}


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


def context(directory, made=None) -> ssl.SSLContext:
    found = ssl.create_default_context()
    found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    if made is not None:
        file = directory / "client.pem"
        file.write_text(made.key_pem + made.pem)
        found.load_cert_chain(file)
    return found


async def ask(world, security, name=None) -> int:
    url, name = f"https://127.0.0.1:{world.port}/", name or world.balancer.dns_name
    connector = aiohttp.TCPConnector(ssl=security, force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, server_hostname=name) as answer,
    ):
        return answer.status


async def until_answered(world, security) -> None:
    async with asyncio.timeout(15):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                assert await ask(world, security) == 200
                return
            await asyncio.sleep(0.01)


async def test_connections_of_clients_with_certificates(world, tmp_path) -> None:
    world.balancer = replace(world.balancer, attributes=logged("connection_logs"))
    mutual = MutualAuthentication(mode="verify", trust_store_arn=STORE.arn)
    async with world.edge() as edge:
        await world.put(CERTIFICATES, SHOWN)
        await world.put(TRUST_STORES, STORE)
        secure = {"protocol": "HTTPS", "certificates": (SHOWN.arn,)}
        actions = {"default_actions": (fixed("hello"),)}
        await world.balance(GROUP, **secure, mutual_authentication=mutual, **actions)
        await until_answered(world, context(tmp_path, CLIENT))
        with contextlib.suppress(aiohttp.ClientError):
            await ask(world, context(tmp_path, STRANGER))
        wanted = {"Success", "Failed:ClientCertUntrusted"}
        lines = await delivered(world, edge, lambda found: {each[-2] for each in found} >= wanted)
        (file, *_) = (world.directory.parent / "logs").rglob("*.gz")
    assert file.name.startswith(f"conn_log.{SCOPE.account}_elasticloadbalancing_")
    good = next(each for each in lines if each[-2] == "Success")
    assert (good[1], good[3], good[4]) == ("127.0.0.1", str(world.port), "TLSv1.2")
    assert float(good[6]) < 5
    assert good[7] == "CN=client.test"
    assert good[8].startswith("NotBefore=20")
    assert int(good[9], 16) == CLIENT.certificate.serial_number


async def test_connections_at_a_door_are_those_of_the_name(world, tmp_path) -> None:
    world.balancer = replace(world.balancer, attributes=logged("connection_logs"))
    bucket = {**logged("connection_logs"), "connection_logs.s3.bucket": "others"}
    other = a_load_balancer("side", id="7" * 16, loopback_address="127.65.1.3", attributes=bucket)
    secure = {"protocol": "HTTPS", "certificates": (SHOWN.arn,)}
    async with world.edge() as edge:
        await world.put(CERTIFICATES, SHOWN)
        await world.put(LOAD_BALANCERS, world.balancer, other)
        secure |= {"port": world.port, "default_actions": (fixed("hello"),)}
        listener = a_listener(GROUP, load_balancer=other.path, **secure)
        await world.put(LISTENERS, a_listener(GROUP, **secure), listener)
        await until_answered(world, context(tmp_path))
        for _ in range(3):
            await ask(world, context(tmp_path), other.dns_name)
        lines = await delivered(world, edge, lambda found: len(found) >= 4)
        logs = world.directory.parent / "logs"
        others = [
            line
            for file in (logs / "others").rglob("*.gz")
            for line in gzip.decompress(file.read_bytes()).decode().splitlines()
        ]
    assert len(others) == 3
    assert len(lines) > 3


async def test_connections_of_a_network_load_balancer(world, tmp_path) -> None:
    world.balancer = replace(
        world.balancer, type=LoadBalancerType.NETWORK, attributes=logged("access_logs")
    )
    group = replace(GROUP, protocol="TCP", protocol_version=None)
    secure = {"protocol": "TLS", "certificates": (SHOWN.arn,)}
    async with upstream("one") as port, world.edge() as edge:
        await world.put(CERTIFICATES, SHOWN)
        await world.balance(group, **secure, load_balancer=world.balancer.path)
        await world.serve(port, group)
        await until_answered(world, context(tmp_path))
        lines = await delivered(world, edge, lambda found: any(each[10] != "0" for each in found))
        (file, *_) = (world.directory.parent / "logs").rglob("*.gz")
    found = next(each for each in lines if each[10] != "0")
    assert len(found) == 22
    assert found[:2] == ["tls", "2.0"]
    assert (found[3], found[4]) == (world.balancer.path, "3".zfill(16))
    assert found[6] == f"127.0.0.1:{world.port}"
    assert int(found[9]) > 0
    assert (found[12], found[15]) == (SHOWN.arn, "tlsv12")
    assert found[17] == world.balancer.dns_name
    assert "127." not in file.name
