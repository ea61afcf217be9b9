"""The certificates of a listener, over the operations."""

from __future__ import annotations

import pytest

from openecs.store.kinds import CERTIFICATES, LISTENERS, LOAD_BALANCERS
from openecs.testing.builders import a_certificate, a_listener, a_load_balancer, a_target_group

MADE = [a_certificate(id=f"00000000-0000-0000-0000-{n:012}") for n in range(28)]
DEFAULT, *OTHERS = (each.arn for each in MADE)


@pytest.fixture
async def listener(world):
    """The ARN of an HTTPS listener with its default certificate."""
    made = a_listener(a_target_group("one"), protocol="HTTPS", certificates=(DEFAULT,))
    await world.put(CERTIFICATES, MADE)
    await world.put(LOAD_BALANCERS, [a_load_balancer()])
    await world.put(LISTENERS, [made])
    return {"ListenerArn": made.arn}


def given(*arns):
    return {"Certificates": [{"CertificateArn": arn} for arn in arns]}


def shown(*arns):
    return [{"CertificateArn": arn, "IsDefault": arn == DEFAULT} for arn in arns]


@pytest.mark.covers(
    "elbv2:AddListenerCertificates",
    "elbv2:DescribeListenerCertificates",
    "elbv2:RemoveListenerCertificates",
)
async def test_certificates_come_and_go(world, listener) -> None:
    one, two, three, *_ = OTHERS
    added = await world.do("AddListenerCertificates", **listener, **given(one, two))
    assert added["Certificates"] == shown(one, two)
    again = await world.do("AddListenerCertificates", **listener, **given(DEFAULT, two, three))
    assert again["Certificates"] == shown(DEFAULT, two, three)
    first = await world.do("DescribeListenerCertificates", **listener, PageSize=3)
    rest = await world.do("DescribeListenerCertificates", **listener, Marker=first["NextMarker"])
    found = [*first["Certificates"], *rest["Certificates"]]
    assert found == shown(DEFAULT, one, two, three)
    await world.do("RemoveListenerCertificates", **listener, **given(one, three, OTHERS[-1]))
    left = await world.do("DescribeListenerCertificates", **listener)
    assert left["Certificates"] == shown(DEFAULT, two)
    (told,) = (await world.do("DescribeListeners", ListenerArns=[listener["ListenerArn"]]))[
        "Listeners"
    ]
    assert told["Certificates"] == [{"CertificateArn": DEFAULT}]


async def test_what_cannot_be_added_or_removed(world, listener) -> None:
    assert await world.refused("AddListenerCertificates", **listener, **given("arn:x")) == (
        "CertificateNotFound",
        "Certificate 'arn:x' not found",
    )
    assert await world.refused("AddListenerCertificates", **listener, **given()) == (
        "ValidationError",
        "At least one certificate must be specified",
    )
    assert await world.refused("RemoveListenerCertificates", **listener, **given(DEFAULT)) == (
        "OperationNotPermitted",
        f"Default certificate '{DEFAULT}' cannot be removed",
    )
    await world.do("AddListenerCertificates", **listener, **given(*OTHERS[:25]))
    assert await world.refused("AddListenerCertificates", **listener, **given(OTHERS[25])) == (
        "TooManyCertificates",
        "The number of certificates cannot exceed '25'",
    )


async def test_another_default_certificate_leaves_the_others(world, listener) -> None:
    await world.do("AddListenerCertificates", **listener, **given(OTHERS[0]))
    await world.do("ModifyListener", **listener, **given(OTHERS[1]))
    left = (await world.do("DescribeListenerCertificates", **listener))["Certificates"]
    assert [each["CertificateArn"] for each in left] == [OTHERS[1], OTHERS[0]]
    assert [each["IsDefault"] for each in left] == [True, False]
