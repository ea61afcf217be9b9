"""Who may do what with which certificate, through the door."""

from __future__ import annotations

from gateway_door import ACCOUNT

from .conftest import allow


def a_certificate(acm, name, **more):
    return acm.request_certificate(DomainName=name, ValidationMethod="DNS", **more)[
        "CertificateArn"
    ]


def test_a_policy_on_one_certificate_opens_that_one_only(client, user, refused):
    root = client("acm")
    own, other = a_certificate(root, "a.example.com"), a_certificate(root, "b.example.com")
    ada = client("acm", user("ada", allow("acm:DescribeCertificate", resource=own)))
    assert ada.describe_certificate(CertificateArn=own)["Certificate"]["CertificateArn"] == own
    code, text = refused(ada.describe_certificate, CertificateArn=other)
    assert code == "AccessDeniedException"
    assert text == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: "
        f"acm:DescribeCertificate on resource: {other} because no identity-based policy allows "
        "the acm:DescribeCertificate action"
    )
    assert refused(ada.delete_certificate, CertificateArn=own)[0] == "AccessDeniedException"


def test_conditions_on_tags_and_names(client, user, refused):
    root = client("acm")
    tagged = a_certificate(root, "a.example.com", Tags=[{"Key": "team", "Value": "a"}])
    plain = a_certificate(root, "b.example.com")
    own = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    named = {"ForAllValues:StringLike": {"acm:DomainNames": "*.a.example.com"}}
    ada = client(
        "acm",
        user(
            "ada",
            allow("acm:DeleteCertificate", Condition=own),
            allow("acm:RequestCertificate", Condition=named),
        ),
    )
    assert refused(ada.delete_certificate, CertificateArn=plain)[0] == "AccessDeniedException"
    ada.delete_certificate(CertificateArn=tagged)
    assert a_certificate(ada, "www.a.example.com")
    assert refused(a_certificate, acm=ada, name="b.example.com")[0] == "AccessDeniedException"
