"""What listeners that speak TLS ask of clients, and trust stores, over the operations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from made_certificates import make
from openecs.decide.default_network import default_network
from openecs.store.kinds import CERTIFICATES
from openecs.testing.builders import SCOPE, a_certificate

ROOT, OTHER = make("root", ca=True), make("other", ca=True)
NETWORK = default_network(SCOPE)
BUNDLE = {"CaCertificatesBundleS3Bucket": "our.bucket", "CaCertificatesBundleS3Key": "ca/all.pem"}
ARN = f"arn:aws:elasticloadbalancing:{SCOPE.region}:{SCOPE.account}"


@pytest.fixture
def world(world, tmp_path):
    """A bucket with a bundle of two authorities."""
    settings = replace(world.call.settings, objects=tmp_path / "objects")
    world.call = replace(world.call, settings=settings)
    world.bundle = tmp_path / "objects" / "our.bucket" / "ca" / "all.pem"
    world.bundle.parent.mkdir(parents=True)
    world.bundle.write_text(ROOT.pem + OTHER.pem)
    return world


async def create(world, name="clients", **request):
    made = await world.do("CreateTrustStore", **{"Name": name, **BUNDLE, **request})
    return made["TrustStores"][0]


async def listener_of(world, protocol="HTTPS", **request):
    """The request for a listener of a new load balancer."""
    certificate = a_certificate()
    await world.put(CERTIFICATES, [certificate])
    network = protocol in {"TCP", "TLS"}
    subnets = [subnet.id for subnet in NETWORK.subnets[:2]]
    balancer = await world.do(
        "CreateLoadBalancer",
        Name=f"front-{protocol.lower()}",
        Subnets=subnets,
        Type="network" if network else "application",
    )
    group = await world.do(
        "CreateTargetGroup",
        Name=f"group-{protocol.lower()}",
        Protocol="TCP" if network else "HTTP",
        Port=80,
        VpcId=NETWORK.vpc.id,
    )
    secure = {"Certificates": [{"CertificateArn": certificate.arn}]}
    return {
        "LoadBalancerArn": balancer["LoadBalancers"][0]["LoadBalancerArn"],
        "Protocol": protocol,
        "Port": 443,
        **(secure if protocol in {"HTTPS", "TLS"} else {}),
        "DefaultActions": [
            {"Type": "forward", "TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}
        ],
        **request,
    }


@pytest.mark.covers(
    "elbv2:CreateTrustStore",
    "elbv2:DescribeTrustStores",
    "elbv2:ModifyTrustStore",
    "elbv2:DeleteTrustStore",
)
async def test_a_trust_store_has_the_authorities_of_its_bundle(world) -> None:
    made = await create(world, Tags=[{"Key": "a", "Value": "b"}])
    assert made == {
        "Name": "clients",
        "TrustStoreArn": f"{ARN}:truststore/clients/{'1'.zfill(16)}",
        "Status": "ACTIVE",
        "NumberOfCaCertificates": 2,
        "TotalRevokedEntries": 0,
    }
    arn = made["TrustStoreArn"]
    (tags,) = (await world.do("DescribeTags", ResourceArns=[arn]))["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "a", "Value": "b"}]
    for request in ({}, {"Names": ["clients"]}, {"TrustStoreArns": [arn]}):
        assert (await world.do("DescribeTrustStores", **request))["TrustStores"] == [made]

    world.bundle.write_text(ROOT.pem)
    (kept,) = (await world.do("DescribeTrustStores"))["TrustStores"]
    assert kept["NumberOfCaCertificates"] == 2
    (changed,) = (await world.do("ModifyTrustStore", TrustStoreArn=arn, **BUNDLE))["TrustStores"]
    assert changed["NumberOfCaCertificates"] == 1

    await world.do("DeleteTrustStore", TrustStoreArn=arn)
    missing = ("TrustStoreNotFound", "One or more trust stores not found")
    for request in ({"Names": ["clients"]}, {"TrustStoreArns": [arn]}):
        assert await world.refused("DescribeTrustStores", **request) == missing
    assert await world.refused("DeleteTrustStore", TrustStoreArn=arn) == missing


async def test_trust_stores_come_in_pages(world) -> None:
    for name in ("a", "b", "c"):
        await create(world, name)
    first = await world.do("DescribeTrustStores", PageSize=2)
    rest = await world.do("DescribeTrustStores", Marker=first["NextMarker"])
    names = [each["Name"] for each in (*first["TrustStores"], *rest["TrustStores"])]
    assert names == ["a", "b", "c"]
    assert "NextMarker" not in rest


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Name": "-a"}, "ValidationError"),
        ({"Name": "a" * 33}, "ValidationError"),
        ({"CaCertificatesBundleS3Key": "none.pem"}, "CaCertificatesBundleNotFound"),
        ({"CaCertificatesBundleS3Key": "ca"}, "CaCertificatesBundleNotFound"),
        ({"CaCertificatesBundleS3Key": "../../secret.pem"}, "CaCertificatesBundleNotFound"),
        ({"CaCertificatesBundleS3Key": "/etc/passwd"}, "CaCertificatesBundleNotFound"),
        ({"CaCertificatesBundleS3Bucket": ".."}, "CaCertificatesBundleNotFound"),
        ({"CaCertificatesBundleS3Bucket": "a/b"}, "CaCertificatesBundleNotFound"),
        ({"CaCertificatesBundleS3Key": "bad.pem"}, "InvalidCaCertificatesBundle"),
        ({"CaCertificatesBundleS3Key": "binary"}, "InvalidCaCertificatesBundle"),
        ({"CaCertificatesBundleS3Key": "many.pem"}, "InvalidCaCertificatesBundle"),
        ({"CaCertificatesBundleS3ObjectVersion": "1"}, "InvalidConfigurationRequest"),
        ({"Name": "taken"}, "DuplicateTrustStoreName"),
        ({"Tags": [{"Key": "a"}, {"Key": "a"}]}, "DuplicateTagKeys"),
    ],
)
async def test_what_is_no_trust_store(world, tmp_path, request_, code: str) -> None:
    bucket = tmp_path / "objects" / "our.bucket"
    (tmp_path / "secret.pem").write_text(ROOT.pem)
    (bucket / "bad.pem").write_text(make("server").pem)
    (bucket / "binary").write_bytes(b"\xff\xfe")
    many = (make(f"authority {number}", key=ROOT.key, ca=True).pem for number in range(26))
    (bucket / "many.pem").write_text("".join(many))
    await create(world, "taken")
    refused = await world.refused("CreateTrustStore", **{"Name": "a", **BUNDLE, **request_})
    assert refused[0] == code


async def test_bundles_need_a_place_to_be_read_from(world) -> None:
    settings = replace(world.call.settings, objects=None)
    world.call = replace(world.call, settings=settings)
    code, message = await world.refused("CreateTrustStore", Name="a", **BUNDLE)
    assert code == "InvalidConfigurationRequest"
    assert "environment_files_dir" in message


@pytest.mark.covers("elbv2:DescribeTrustStoreAssociations")
async def test_a_listener_verifies_clients_by_a_trust_store(world) -> None:
    store = (await create(world))["TrustStoreArn"]
    request = await listener_of(world)
    verify = {"Mode": "verify", "TrustStoreArn": store}
    made = await world.do("CreateListener", **request, MutualAuthentication=verify)
    (listener,) = made["Listeners"]
    shown = {**verify, "IgnoreClientCertificateExpiry": False, "AdvertiseTrustStoreCaNames": "off"}
    assert listener["MutualAuthentication"] == shown
    assert await world.do("CreateListener", **request, MutualAuthentication=verify) == made
    found = await world.do("DescribeTrustStoreAssociations", TrustStoreArn=store)
    assert found["TrustStoreAssociations"] == [{"ResourceArn": request["LoadBalancerArn"]}]
    assert await world.refused("DeleteTrustStore", TrustStoreArn=store) == (
        "TrustStoreInUse",
        f"Trust store '{store}' is currently in use by a listener",
    )

    arn = {"ListenerArn": listener["ListenerArn"]}
    (kept,) = (await world.do("ModifyListener", **arn, Port=444))["Listeners"]
    assert kept["MutualAuthentication"] == shown
    for mutual in ({"Mode": "passthrough"}, {"Mode": "off"}):
        (changed,) = (await world.do("ModifyListener", **arn, MutualAuthentication=mutual))[
            "Listeners"
        ]
        assert changed["MutualAuthentication"] == mutual
    found = await world.do("DescribeTrustStoreAssociations", TrustStoreArn=store)
    assert found["TrustStoreAssociations"] == []
    await world.do("DeleteTrustStore", TrustStoreArn=store)


async def test_listeners_ask_for_no_certificates_unless_told(world) -> None:
    made = await world.do("CreateListener", **await listener_of(world))
    assert made["Listeners"][0]["MutualAuthentication"] == {"Mode": "off"}
    plain = await world.do("CreateListener", **await listener_of(world, "TCP"))
    assert "MutualAuthentication" not in plain["Listeners"][0]


@pytest.mark.parametrize(
    ("protocol", "mutual", "code"),
    [
        ("HTTPS", {"Mode": "maybe"}, "ValidationError"),
        ("HTTPS", {"Mode": "verify"}, "ValidationError"),
        ("HTTPS", {"Mode": "passthrough", "TrustStoreArn": "STORE"}, "ValidationError"),
        ("HTTPS", {"Mode": "off", "IgnoreClientCertificateExpiry": True}, "ValidationError"),
        (
            "HTTPS",
            {"Mode": "verify", "TrustStoreArn": "STORE", "AdvertiseTrustStoreCaNames": "yes"},
            "ValidationError",
        ),
        ("HTTPS", {"Mode": "verify", "TrustStoreArn": "arn:x"}, "ValidationError"),
        (
            "HTTPS",
            {"Mode": "verify", "TrustStoreArn": f"{ARN}:truststore/x/{'7' * 16}"},
            "TrustStoreNotFound",
        ),
        ("TLS", {"Mode": "passthrough"}, "ValidationError"),
        ("TCP", {"Mode": "passthrough"}, "InvalidConfigurationRequest"),
    ],
)
async def test_what_mutual_authentication_cannot_be(world, protocol, mutual, code) -> None:
    store = (await create(world))["TrustStoreArn"]
    given = {key: store if value == "STORE" else value for key, value in mutual.items()}
    request = await listener_of(world, protocol, MutualAuthentication=given)
    assert (await world.refused("CreateListener", **request))[0] == code


async def test_tls_listeners_have_an_alpn_policy(world) -> None:
    request = await listener_of(world, "TLS", AlpnPolicy=["HTTP2Preferred"])
    (listener,) = (await world.do("CreateListener", **request))["Listeners"]
    assert listener["AlpnPolicy"] == ["HTTP2Preferred"]
    arn = {"ListenerArn": listener["ListenerArn"]}
    (kept,) = (await world.do("ModifyListener", **arn, Port=444))["Listeners"]
    assert kept["AlpnPolicy"] == ["HTTP2Preferred"]
    (changed,) = (await world.do("ModifyListener", **arn, AlpnPolicy=["None"]))["Listeners"]
    assert changed["AlpnPolicy"] == ["None"]
    for policies in (["HTTP3"], ["None", "HTTP1Only"]):
        refused = await world.refused("ModifyListener", **arn, AlpnPolicy=policies)
        assert refused[0] == "ValidationError"
    request = await listener_of(world, "HTTPS", AlpnPolicy=["None"])
    assert await world.refused("CreateListener", **request) == (
        "InvalidConfigurationRequest",
        "An ALPN policy cannot be specified for HTTPS listeners",
    )
