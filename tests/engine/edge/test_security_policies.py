"""Security policies of listeners as clients meet them, on a real Envoy."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import replace

import pytest

from edge_world import GROUP, upstream
from made_certificates import make, rsa_key
from openecs.model.certificates import KeyPair
from openecs.model.load_balancing import LoadBalancerStateCode, LoadBalancerType
from openecs.model.tls_policies import POLICIES
from openecs.store.kinds import CERTIFICATES, LISTENERS
from openecs.testing.builders import a_certificate, a_listener

X25519, X25519_ML_KEM_768 = 0x001D, 0x11EC
VERSIONS = {"TLSv1.3": ssl.TLSVersion.TLSv1_3, "TLSv1.2": ssl.TLSVersion.TLSv1_2}


def shown(number: int, made):
    pair = KeyPair(certificate=made.pem, private_key=made.key_pem)
    return a_certificate(id=f"00000000-0000-0000-0000-{number:012}", key_pair=pair)


ONE = shown(1, make("one.test", key=rsa_key(), names=["one.test"]))
WILD = shown(2, make("wild", names=["*.wild.test"]))


def hello(*groups: int) -> bytes:
    """A ClientHello of TLS 1.3 that knows some groups and has a share of X25519."""

    def sized(content: bytes, size: int = 2) -> bytes:
        return len(content).to_bytes(size) + content

    def extension(number: int, content: bytes) -> bytes:
        return number.to_bytes(2) + sized(content)

    share = X25519.to_bytes(2) + sized(os.urandom(32))
    extensions = b"".join(
        (
            extension(10, sized(b"".join(group.to_bytes(2) for group in groups))),
            extension(13, sized(bytes.fromhex("040308040401"))),
            extension(43, bytes.fromhex("020304")),
            extension(51, sized(share)),
        )
    )
    head = b"\x03\x03" + os.urandom(32) + sized(os.urandom(32), 1)
    body = head + sized(bytes.fromhex("13011302")) + b"\x01\x00" + sized(extensions)
    return b"\x16\x03\x01" + sized(b"\x01" + sized(body, 3))


async def group_of(port: int, *groups: int) -> int:
    """The group that the server would agree on keys with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(hello(*groups))
    head = await reader.readexactly(5)
    assert head[0] == 22, "no handshake"
    answer = await reader.readexactly(int.from_bytes(head[3:]))
    writer.close()
    at = 4 + 2 + 32
    at += 1 + answer[at] + 2 + 1 + 2
    while True:
        number, size = (int.from_bytes(answer[at + n : at + n + 2]) for n in (0, 2))
        if number == 51:
            return int.from_bytes(answer[at + 4 : at + 6])
        at += 4 + size


async def handshake(
    port: int, name="one.test", ciphers=None, version=None, spoken=()
) -> ssl.SSLObject | None:
    """A connection as it was made; None where it was refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(spoken)
    if ciphers:
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    if version:
        context.minimum_version = context.maximum_version = version
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=name
        )
    except (ssl.SSLError, ConnectionError):
        return None
    writer.close()
    return writer.get_extra_info("ssl_object")


@pytest.fixture
async def secure(world):
    """Changes the listener, and waits until that is served."""
    await world.put(CERTIFICATES, ONE, WILD)
    count = 0

    async def change(policy: str, *certificates):
        nonlocal count
        count += 1
        arns = tuple(each.arn for each in certificates or (ONE,))
        await world.put(
            LISTENERS,
            a_listener(
                GROUP, port=world.port, protocol="HTTPS", ssl_policy=policy, certificates=arns
            ),
        )

    async with world.edge():
        await world.balance(GROUP, protocol="HTTPS", certificates=(ONE.arn,))
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        yield change


async def until(holds) -> None:
    async with asyncio.timeout(15):
        while not await holds():
            await asyncio.sleep(0.01)


async def test_versions_and_ciphers_are_those_of_the_policy(world, secure) -> None:
    async def refused(**offer):
        return await handshake(world.port, **offer) is None

    v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    made = await handshake(world.port, ciphers="AES256-SHA", version=v12)
    assert made.cipher()[0] == "AES256-SHA"
    assert await refused(version=v13)

    await secure("ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
    await until(lambda: refused(ciphers="AES256-SHA", version=v12))
    made = await handshake(world.port, ciphers="ECDHE-RSA-AES128-GCM-SHA256", version=v12)
    assert made.version() == "TLSv1.2"
    assert (await handshake(world.port)).version() == "TLSv1.3"
    assert await refused(ciphers="ECDHE-RSA-AES128-SHA", version=v12)

    await secure("ELBSecurityPolicy-TLS13-1-3-2021-06")
    await until(lambda: refused(version=v12))
    assert (await handshake(world.port)).version() == "TLSv1.3"


async def test_keys_are_agreed_on_with_ml_kem_where_the_policy_says_so(world, secure) -> None:
    groups = (X25519_ML_KEM_768, X25519)
    await secure("ELBSecurityPolicy-TLS13-1-2-2021-06")

    async def agreed():
        return await handshake(world.port, version=ssl.TLSVersion.TLSv1_3)

    await until(agreed)
    assert await group_of(world.port, *groups) == X25519
    await secure("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09")

    async def with_ml_kem():
        return await group_of(world.port, *groups) == X25519_ML_KEM_768

    await until(with_ml_kem)
    assert await group_of(world.port, X25519) == X25519


async def test_of_several_certificates_the_name_decides(world, secure) -> None:
    async def shows(name):
        found = await handshake(world.port, name)
        der = found.getpeercert(binary_form=True) if found else b""
        return {ssl.PEM_cert_to_DER_cert(c.key_pair.certificate): c for c in (ONE, WILD)}.get(der)

    async def is_wild():
        return await shows("a.wild.test") is WILD

    async def is_default():
        return await shows("another.test") is WILD

    assert await shows("a.wild.test") is ONE
    await secure("ELBSecurityPolicy-2016-08", ONE, WILD)
    await until(is_wild)
    assert await shows("one.test") is ONE
    assert await shows("another.test") is ONE
    await secure("ELBSecurityPolicy-2016-08", WILD, ONE)
    await until(is_default)
    assert await shows("one.test") is ONE


@pytest.mark.parametrize(
    ("policy", "agreed"),
    [
        ((), None),
        (("None",), None),
        (("HTTP1Only",), "http/1.1"),
        (("HTTP2Only",), "h2"),
        (("HTTP2Optional",), "http/1.1"),
        (("HTTP2Preferred",), "h2"),
    ],
)
async def test_what_is_spoken_is_agreed_on_by_the_alpn_policy(world, policy, agreed) -> None:
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    await world.put(CERTIFICATES, ONE)
    group = replace(GROUP, protocol="TCP", protocol_version=None)
    shown = {"certificates": (ONE.arn,), "alpn_policy": policy}
    async with upstream("a") as a, world.edge():
        await world.serve(a, group)
        await world.balance(group, protocol="TLS", load_balancer=world.balancer.path, **shown)
        await world.until_state(LoadBalancerStateCode.ACTIVE)

        async def made():
            return await handshake(world.port, spoken=["h2", "http/1.1"])

        # A connection that finds no target ends before its handshake.
        await until(made)
        assert (await made()).selected_alpn_protocol() == agreed


@pytest.mark.parametrize("policy", sorted(POLICIES))
async def test_every_policy_is_served(world, policy) -> None:
    await world.put(CERTIFICATES, ONE)
    async with world.edge():
        await world.balance(GROUP, protocol="HTTPS", certificates=(ONE.arn,), ssl_policy=policy)
        await world.until_state(LoadBalancerStateCode.ACTIVE)
        newest = POLICIES[policy].protocols[0]
        made = await handshake(world.port, version=VERSIONS[newest])
        assert made.version() == newest
