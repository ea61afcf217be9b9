"""HTTPS listeners on a real Envoy: what targets and access logs are told of the connection."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from dataclasses import replace

import aiohttp

import made_certificates
from edge_world import GROUP, upstream
from openecs.model.certificates import KeyPair
from openecs.store.kinds import CERTIFICATES
from openecs.testing.builders import a_certificate

ATTRIBUTES = {
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "true",
    "access_logs.s3.enabled": "true",
    "access_logs.s3.bucket": "my-logs",
}


async def body_of(world) -> str:
    """What the target got of a request by TLS 1.2."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    url, host = f"https://127.0.0.1:{world.port}/", world.balancer.dns_name
    asked = {"headers": {"Host": host}, "ssl": context, "server_hostname": host}
    async with aiohttp.ClientSession() as session, session.get(url, **asked) as answer:
        return await answer.text() if answer.status == 200 else ""


async def test_the_version_and_cipher_of_a_connection(world) -> None:
    made = made_certificates.make(world.balancer.dns_name)
    pair = KeyPair(certificate=made.pem, private_key=made.key_pem)
    certificate = a_certificate(key_pair=pair)
    world.balancer = replace(world.balancer, attributes=ATTRIBUTES)
    async with upstream("a") as a, world.edge() as edge:
        await world.put(CERTIFICATES, certificate)
        await world.balance(GROUP, protocol="HTTPS", certificates=(certificate.arn,))
        await world.serve(a)
        body = ""
        async with asyncio.timeout(15):
            while not body:
                try:
                    body = await body_of(world)
                except aiohttp.ClientError:
                    await asyncio.sleep(0.01)
        assert "x-amzn-tls-version: TLSv1.2\r\n" in body
        assert "x-amzn-tls-cipher-suite: ECDHE-ECDSA-" in body
        assert "x-forwarded-proto: https\r\n" in body
        logs = world.directory.parent / "logs"
        async with asyncio.timeout(15):
            while not (files := list(logs.rglob("*.log.gz"))):
                await edge.deliveries.deliver()
                await asyncio.sleep(0.05)
    line = gzip.decompress(files[0].read_bytes()).decode().splitlines()[-1]
    assert line.startswith("https ")
    assert f' TLSv1.2 {GROUP.arn} "Root=' in line
    assert f' "{world.balancer.dns_name}" "{certificate.arn}" 0 ' in line
