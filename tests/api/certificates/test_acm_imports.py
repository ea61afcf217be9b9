"""Certificates imported into ACM, their tags and listings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from made_certificates import make, rsa_key

from .conftest import ACCOUNT


def imported(acm, made, *chain, **members) -> str:
    given = {"Certificate": made.pem.encode(), "PrivateKey": made.key_pem.encode(), **members}
    if chain:
        given["CertificateChain"] = "".join(one.pem for one in chain).encode()
    return acm.import_certificate(**given)["CertificateArn"]


def described(acm, arn: str) -> dict:
    return acm.describe_certificate(CertificateArn=arn)["Certificate"]


@pytest.mark.covers("acm:ImportCertificate")
def test_an_imported_certificate(acm_client):
    root = make("Root")
    own = make("a.test", by=root, names=["a.test", "b.test"])
    arn = imported(acm_client, own, root, Tags=[{"Key": "a", "Value": "b"}])
    shown = described(acm_client, arn)
    assert (shown["Status"], shown["Type"]) == ("ISSUED", "IMPORTED")
    assert shown["SubjectAlternativeNames"] == ["a.test", "b.test"]
    assert (shown["Subject"], shown["Issuer"]) == ("CN=a.test", "Root")
    assert shown["RenewalEligibility"] == "INELIGIBLE"
    assert "ImportedAt" in shown
    assert "IssuedAt" not in shown
    assert "DomainValidationOptions" not in shown
    given = acm_client.get_certificate(CertificateArn=arn)
    assert (given["Certificate"], given["CertificateChain"]) == (own.pem, root.pem)


def test_an_imported_certificate_is_replaced_under_its_arn(acm_client):
    first, second = make("a.test"), make("b.test")
    tags = [{"Key": "a", "Value": "b"}]
    arn = imported(acm_client, first, Tags=tags)
    assert imported(acm_client, second, CertificateArn=arn) == arn
    assert described(acm_client, arn)["DomainName"] == "b.test"
    assert acm_client.list_tags_for_certificate(CertificateArn=arn)["Tags"] == tags
    with pytest.raises(ClientError, match="Tagging is not permitted on re-import"):
        imported(acm_client, second, CertificateArn=arn, Tags=tags)
    with pytest.raises(ClientError, match="key algorithm"):
        imported(acm_client, make(key=rsa_key()), CertificateArn=arn)
    with pytest.raises(acm_client.exceptions.ResourceNotFoundException):
        imported(acm_client, second, CertificateArn=f"{arn[:-1]}f")


def test_what_acm_issued_is_not_imported_over(acm_client):
    issued = acm_client.request_certificate(DomainName="a.test", KeyAlgorithm="EC_prime256v1")
    with pytest.raises(ClientError, match="not an imported certificate"):
        imported(acm_client, make(), CertificateArn=issued["CertificateArn"])


def refusals():
    own, other, root = make(), make(), make("Root")
    signed = make("a.test", by=root)
    past = datetime.now(UTC) - timedelta(days=100)
    expired = make(start=past)
    good, key = own.pem, own.key_pem
    return [
        ("garbage", key, None, "Unable to parse certificate."),
        (good + other.pem, key, None, "contains more than one certificate"),
        (good, "garbage", None, "The private key is not PEM-encoded or is not valid."),
        (good, own.locked_key_pem, None, "Your private key should not be encrypted."),
        (good, other.key_pem, None, "The private key does not match the certificate."),
        (expired.pem, expired.key_pem, None, "The certificate has expired"),
        (signed.pem, signed.key_pem, None, "is not a valid self signed"),
        (signed.pem, signed.key_pem, other.pem, "Could not validate the certificate with the"),
        (signed.pem, signed.key_pem, root.pem + other.pem, "of the invalid certificate is: 1"),
        (signed.pem, signed.key_pem, "garbage", "Unable to parse certificate chain."),
    ]


@pytest.mark.parametrize(("certificate", "key", "chain", "words"), refusals())
def test_imports_that_are_refused(acm_client, certificate, key, chain, words):
    more = {"CertificateChain": chain.encode()} if chain else {}
    with pytest.raises(ClientError) as refused:
        acm_client.import_certificate(
            Certificate=certificate.encode(), PrivateKey=key.encode(), **more
        )
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert words in error["Message"]
    assert acm_client.list_certificates()["CertificateSummaryList"] == []


@pytest.mark.covers("acm:ListCertificates")
def test_listings_are_filtered_and_paged(acm_client):
    rsa = imported(acm_client, make("rsa.test", key=rsa_key()))
    every = [imported(acm_client, make(f"{n}.test")) for n in range(3)]
    kinds = {"keyTypes": ["EC_prime256v1"]}

    def listed(**members):
        found = acm_client.list_certificates(**members)["CertificateSummaryList"]
        return [one["CertificateArn"] for one in found]

    assert listed() == [rsa]
    assert listed(Includes=kinds) == every
    order = {"SortBy": "CREATED_AT", "SortOrder": "DESCENDING"}
    pages = acm_client.get_paginator("list_certificates").paginate(
        Includes=kinds, **order, PaginationConfig={"PageSize": 2}
    )
    shown = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]]
    assert shown == every[::-1]
    assert listed(CertificateStatuses=["EXPIRED"], Includes=kinds) == []
    assert listed(CertificateStatuses=["ISSUED"], Includes=kinds) == every
    assert listed(Includes={**kinds, "extendedKeyUsage": ["TLS_WEB_SERVER_AUTHENTICATION"]}) == []
    assert listed(Includes={**kinds, "extendedKeyUsage": ["NONE"], "keyUsage": ["ANY"]}) == every
    assert listed(Includes={**kinds, "exportOption": "ENABLED"}) == []
    assert listed(Includes={**kinds, "managedBy": "CLOUDFRONT"}) == []
    assert listed(Includes=kinds, CertificateKeyPairOrigins=["AWS_MANAGED"]) == []
    with pytest.raises(ClientError, match="specified together"):
        listed(SortBy="CREATED_AT")


def test_a_token_belongs_to_its_own_listing(acm_client):
    for n in range(2):
        imported(acm_client, make(f"{n}.test", key=rsa_key()))
    page = acm_client.list_certificates(MaxItems=1)
    token = page["NextToken"]
    assert len(acm_client.list_certificates(NextToken=token)["CertificateSummaryList"]) == 1
    for other in ({"NextToken": "x"}, {"NextToken": token, "CertificateStatuses": ["ISSUED"]}):
        with pytest.raises(ClientError, match="token is invalid"):
            acm_client.list_certificates(**other)


@pytest.mark.covers(
    "acm:AddTagsToCertificate",
    "acm:RemoveTagsFromCertificate",
    "acm:ListTagsForCertificate",
)
def test_tags(acm_client):
    arn = imported(acm_client, make())
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]
    acm_client.add_tags_to_certificate(CertificateArn=arn, Tags=tags)
    gone = [{"Key": "a"}, {"Key": "b", "Value": "other"}, {"Key": "c", "Value": "3"}]
    acm_client.remove_tags_from_certificate(CertificateArn=arn, Tags=gone)
    left = acm_client.list_tags_for_certificate(CertificateArn=arn)["Tags"]
    assert left == [{"Key": "b", "Value": "2"}]
    many = [{"Key": str(n), "Value": ""} for n in range(50)]
    with pytest.raises(acm_client.exceptions.TooManyTagsException):
        acm_client.add_tags_to_certificate(CertificateArn=arn, Tags=many)
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    with pytest.raises(acm_client.exceptions.InvalidTagException, match="Duplicate"):
        acm_client.add_tags_to_certificate(CertificateArn=arn, Tags=twice)


@pytest.mark.covers("acm:TagResource", "acm:UntagResource", "acm:ListTagsForResource")
def test_tags_by_the_names_that_all_services_have(acm_client):
    arn = imported(acm_client, make())
    assert f":{ACCOUNT}:" in arn
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    acm_client.tag_resource(ResourceArn=arn, Tags=tags)
    acm_client.untag_resource(ResourceArn=arn, TagKeys=["a", "x"])
    assert acm_client.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags[1:]
