"""Revocation files of trust stores, over the operations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from made_certificates import make, revoking
from openecs.model.load_balancing import LoadBalancerType, MutualAuthentication
from openecs.model.trust_stores import TrustStore
from openecs.store.kinds import CERTIFICATES, LISTENERS, LOAD_BALANCERS, TRUST_STORES
from openecs.testing.builders import (
    NOW,
    SCOPE,
    a_certificate,
    a_listener,
    a_load_balancer,
    a_target_group,
)

ROOT = make("root", ca=True)
GONE = [make(f"gone {number}", by=ROOT) for number in range(3)]
STORE = TrustStore(
    scope=SCOPE, name="clients", id="5" * 16, ca_certificates=(ROOT.pem,), created_at=NOW
)
ARN = {"TrustStoreArn": STORE.arn}


@pytest.fixture
async def world(world, tmp_path):
    """A trust store, and a bucket with two revocation files and one that is none."""
    settings = replace(world.call.settings, objects=tmp_path)
    world.call = replace(world.call, settings=settings)
    bucket = tmp_path / "lists"
    bucket.mkdir()
    (bucket / "one.crl").write_bytes(revoking(ROOT, GONE[0]))
    (bucket / "two.crl").write_bytes(revoking(ROOT, *GONE[1:]))
    (bucket / "root.pem").write_text(ROOT.pem)
    await world.put(TRUST_STORES, [STORE])
    return world


def files(*keys):
    contents = [{"S3Bucket": "lists", "S3Key": key, "RevocationType": "CRL"} for key in keys]
    return {**ARN, "RevocationContents": contents}


def shown(number: int, entries: int):
    return {
        **ARN,
        "RevocationId": number,
        "RevocationType": "CRL",
        "NumberOfRevokedEntries": entries,
    }


@pytest.mark.covers(
    "elbv2:AddTrustStoreRevocations",
    "elbv2:DescribeTrustStoreRevocations",
    "elbv2:RemoveTrustStoreRevocations",
)
async def test_revocation_files_come_and_go(world) -> None:
    added = await world.do("AddTrustStoreRevocations", **files("one.crl", "two.crl"))
    assert added["TrustStoreRevocations"] == [shown(1, 1), shown(2, 2)]
    (store,) = (await world.do("DescribeTrustStores"))["TrustStores"]
    assert store["TotalRevokedEntries"] == 3
    first = await world.do("DescribeTrustStoreRevocations", **ARN, PageSize=1)
    rest = await world.do("DescribeTrustStoreRevocations", **ARN, Marker=first["NextMarker"])
    found = [*first["TrustStoreRevocations"], *rest["TrustStoreRevocations"]]
    assert found == added["TrustStoreRevocations"]
    some = await world.do("DescribeTrustStoreRevocations", **ARN, RevocationIds=[2])
    assert some["TrustStoreRevocations"] == [shown(2, 2)]

    await world.do("RemoveTrustStoreRevocations", **ARN, RevocationIds=[2])
    again = await world.do("AddTrustStoreRevocations", **files("two.crl"))
    assert again["TrustStoreRevocations"] == [shown(3, 2)]
    for operation in ("RemoveTrustStoreRevocations", "DescribeTrustStoreRevocations"):
        assert await world.refused(operation, **ARN, RevocationIds=[1, 2]) == (
            "RevocationIdNotFound",
            "One or more revocation IDs not found",
        )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (files(), "ValidationError"),
        (files("none.crl"), "RevocationContentNotFound"),
        (files("one.crl", "root.pem"), "InvalidRevocationContent"),
        (files(*["one.crl"] * 31), "TooManyTrustStoreRevocationEntries"),
        (
            {**files("one.crl"), "TrustStoreArn": STORE.arn.replace("5" * 16, "6" * 16)},
            "TrustStoreNotFound",
        ),
    ],
)
async def test_what_is_no_revocation_file(world, request_, code) -> None:
    assert (await world.refused("AddTrustStoreRevocations", **request_))[0] == code
    told = await world.do("DescribeTrustStoreRevocations", **ARN)
    assert told["TrustStoreRevocations"] == []


async def test_tls_listeners_have_no_revocation_files(world) -> None:
    mutual = MutualAuthentication(mode="verify", trust_store_arn=STORE.arn)
    balancer = a_load_balancer(type=LoadBalancerType.NETWORK)
    listener = a_listener(
        a_target_group("one"),
        load_balancer=balancer.path,
        protocol="TLS",
        mutual_authentication=mutual,
        certificates=(a_certificate().arn,),
    )
    await world.put(CERTIFICATES, [a_certificate()])
    await world.put(LISTENERS, [listener])
    refused = ("InvalidConfigurationRequest", "OpenECS does not build revocation files for TLS")
    code, message = await world.refused("AddTrustStoreRevocations", **files("one.crl"))
    assert (code, message[: len(refused[1])]) == refused

    await world.put(LOAD_BALANCERS, [balancer])
    await world.put(LISTENERS, [replace(listener, mutual_authentication=None)])
    await world.do("AddTrustStoreRevocations", **files("one.crl"))
    code, message = await world.refused(
        "ModifyListener",
        ListenerArn=listener.arn,
        MutualAuthentication={"Mode": "verify", **ARN},
    )
    assert (code, message[: len(refused[1])]) == refused
