"""IAM's server certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from made_certificates import make

from .conftest import ACCOUNT, BALANCER_ARN


def upload(iam, name="web", made=None, **members) -> dict:
    made = made or make()
    return iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=made.pem, PrivateKey=made.key_pem, **members
    )


def refused(call, **members) -> dict:
    with pytest.raises(ClientError) as error:
        call(**members)
    return error.value.response["Error"]


@pytest.mark.covers("iam:UploadServerCertificate", "iam:GetServerCertificate")
def test_an_uploaded_certificate_is_found_in_every_region(iam_client, door):
    root = make("Root")
    own = make("a.test", by=root)
    tags = [{"Key": "a", "Value": "b"}]
    made = upload(iam_client, made=own, Path="/x/", CertificateChain=root.pem, Tags=tags)
    metadata = made["ServerCertificateMetadata"]
    assert metadata["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/x/web"
    assert metadata["ServerCertificateId"].startswith("ASCA")
    assert metadata["Expiration"] == own.certificate.not_valid_after_utc
    assert made["Tags"] == tags
    elsewhere = door.client("iam", "eu-west-1")
    shown = elsewhere.get_server_certificate(ServerCertificateName="web")["ServerCertificate"]
    texts = (own.pem.strip(), root.pem.strip())
    assert (shown["CertificateBody"], shown["CertificateChain"]) == texts
    assert shown["ServerCertificateMetadata"] == metadata
    assert shown["Tags"] == tags


def test_a_name_is_taken_once(iam_client):
    upload(iam_client)
    error = refused(lambda: upload(iam_client))
    assert error["Code"] == "EntityAlreadyExists"
    assert error["Message"] == "The Server Certificate with name web already exists."


@pytest.mark.parametrize(
    "operation",
    [
        "get_server_certificate",
        "delete_server_certificate",
        "update_server_certificate",
        "list_server_certificate_tags",
    ],
)
def test_certificates_that_are_not_there(iam_client, operation):
    error = refused(getattr(iam_client, operation), ServerCertificateName="none")
    assert error["Code"] == "NoSuchEntity"
    assert error["Message"] == "The Server Certificate with name none cannot be found."


def refusals():
    own, other, root = make(), make(), make("Root")
    signed = make("a.test", by=root)
    expired = make(start=datetime.now(UTC) - timedelta(days=100))
    return [
        ("garbage", own.key_pem, None, "MalformedCertificate", "Unable to parse certificate"),
        (own.pem, "garbage", None, "MalformedCertificate", "Unable to parse private key"),
        (own.pem, other.key_pem, None, "KeyPairMismatch", "does not match"),
        (expired.pem, expired.key_pem, None, "MalformedCertificate", "has expired"),
        (signed.pem, signed.key_pem, other.pem, "MalformedCertificate", "certificate is: 0"),
    ]


@pytest.mark.parametrize(("certificate", "key", "chain", "code", "words"), refusals())
def test_uploads_that_are_refused(iam_client, certificate, key, chain, code, words):
    more = {"CertificateChain": chain} if chain else {}
    error = refused(
        iam_client.upload_server_certificate,
        ServerCertificateName="web",
        CertificateBody=certificate,
        PrivateKey=key,
        **more,
    )
    assert error["Code"] == code
    assert words in error["Message"]


def test_a_chain_may_be_left_out(iam_client):
    assert upload(iam_client, made=make("a.test", by=make("Root")))


@pytest.mark.covers("iam:ListServerCertificates")
def test_listings_by_path_and_page(iam_client):
    for name in ("c", "a", "b"):
        upload(iam_client, name, Path="/x/")
    upload(iam_client, "d")
    pages = iam_client.get_paginator("list_server_certificates").paginate(
        PathPrefix="/x/", PaginationConfig={"PageSize": 2}
    )
    shown = [
        one["ServerCertificateName"]
        for page in pages
        for one in page["ServerCertificateMetadataList"]
    ]
    assert shown == ["a", "b", "c"]
    every = iam_client.list_server_certificates()
    assert (len(every["ServerCertificateMetadataList"]), every["IsTruncated"]) == (4, False)
    error = refused(iam_client.list_server_certificates, Marker="é")
    assert error["Code"] == "ValidationError"


@pytest.mark.covers("iam:UpdateServerCertificate")
def test_listeners_go_on_with_a_renamed_certificate(iam_client, door):
    made = upload(iam_client)["ServerCertificateMetadata"]
    upload(iam_client, "taken")
    door.listen("other", made["Arn"])
    error = refused(
        iam_client.update_server_certificate,
        ServerCertificateName="web",
        NewServerCertificateName="taken",
    )
    assert error["Code"] == "EntityAlreadyExists"
    iam_client.update_server_certificate(
        ServerCertificateName="web", NewServerCertificateName="new", NewPath="/x/"
    )
    shown = iam_client.get_server_certificate(ServerCertificateName="new")["ServerCertificate"]
    renamed = shown["ServerCertificateMetadata"]
    assert renamed["ServerCertificateId"] == made["ServerCertificateId"]
    assert door.used() == ("other", renamed["Arn"])
    assert refused(iam_client.get_server_certificate, ServerCertificateName="web")


@pytest.mark.covers("iam:DeleteServerCertificate")
def test_a_certificate_is_deleted_once_no_listener_uses_it(iam_client, door):
    made = upload(iam_client)["ServerCertificateMetadata"]
    door.listen(made["Arn"])
    error = refused(iam_client.delete_server_certificate, ServerCertificateName="web")
    assert error["Code"] == "DeleteConflict"
    assert error["Message"] == (
        f"Certificate: {made['ServerCertificateId']} is currently in use by {BALANCER_ARN}. "
        "Please remove it first before deleting it from IAM."
    )
    door.listen()
    iam_client.delete_server_certificate(ServerCertificateName="web")
    assert iam_client.list_server_certificates()["ServerCertificateMetadataList"] == []


@pytest.mark.covers(
    "iam:TagServerCertificate", "iam:UntagServerCertificate", "iam:ListServerCertificateTags"
)
def test_tags(iam_client):
    upload(iam_client)
    name = {"ServerCertificateName": "web"}
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    iam_client.tag_server_certificate(**name, Tags=tags)
    page = iam_client.list_server_certificate_tags(**name, MaxItems=1)
    assert (page["Tags"], page["IsTruncated"]) == (tags[:1], True)
    rest = iam_client.list_server_certificate_tags(**name, Marker=page["Marker"])
    assert (rest["Tags"], rest["IsTruncated"]) == (tags[1:], False)
    iam_client.untag_server_certificate(**name, TagKeys=["a", "x"])
    assert iam_client.list_server_certificate_tags(**name)["Tags"] == tags[1:]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    assert refused(iam_client.tag_server_certificate, **name, Tags=twice)["Code"] == "InvalidInput"
    many = [{"Key": str(n), "Value": ""} for n in range(50)]
    assert refused(iam_client.tag_server_certificate, **name, Tags=many)["Code"] == "LimitExceeded"
