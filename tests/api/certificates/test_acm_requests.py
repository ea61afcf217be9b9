"""Certificates that ACM issues: requested, described, renewed, exported."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from .conftest import ACCOUNT, BALANCER_ARN, REGION

ABSENT = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-00000000ffff"


def request(acm, name="web.test", **members) -> str:
    given = {"DomainName": name, "KeyAlgorithm": "EC_prime256v1", **members}
    return acm.request_certificate(**given)["CertificateArn"]


def described(acm, arn: str) -> dict:
    return acm.describe_certificate(CertificateArn=arn)["Certificate"]


@pytest.mark.covers("acm:RequestCertificate", "acm:DescribeCertificate")
def test_a_requested_certificate_is_issued_at_once(acm_client):
    arn = request(
        acm_client,
        SubjectAlternativeNames=["*.web.test", "Web.test"],
        ValidationMethod="DNS",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    shown = described(acm_client, arn)
    assert arn.startswith(f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/")
    assert (shown["Status"], shown["Type"], shown["InUseBy"]) == ("ISSUED", "AMAZON_ISSUED", [])
    assert shown["SubjectAlternativeNames"] == ["web.test", "*.web.test"]
    assert shown["KeyAlgorithm"] == "EC_prime256v1"
    assert shown["NotAfter"] - shown["NotBefore"] == timedelta(days=395, seconds=-1)
    assert shown["RenewalEligibility"] == "INELIGIBLE"
    assert shown["ExtendedKeyUsages"] == [
        {"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}
    ]
    acm_client.get_waiter("certificate_validated").wait(CertificateArn=arn)


@pytest.mark.covers("acm:GetCertificate")
def test_what_is_issued_the_authority_has_signed(acm_client, door):
    arn = request(acm_client)
    given = acm_client.get_certificate(CertificateArn=arn)
    own = load_pem_x509_certificate(given["Certificate"].encode())
    root = load_pem_x509_certificate(given["CertificateChain"].encode())
    own.verify_directly_issued_by(root)
    shown = described(acm_client, arn)
    assert int(shown["Serial"].replace(":", ""), 16) == own.serial_number
    assert given["CertificateChain"] == door.authority.certificate(shown["CreatedAt"])


def test_records_of_dns_validation_are_the_same_for_a_domain_and_its_wildcard(acm_client):
    arn = request(acm_client, SubjectAlternativeNames=["*.web.test"], ValidationMethod="DNS")
    one, wildcard = described(acm_client, arn)["DomainValidationOptions"]
    assert (one["DomainName"], wildcard["DomainName"]) == ("web.test", "*.web.test")
    assert one["ResourceRecord"] == wildcard["ResourceRecord"]
    assert one["ValidationStatus"] == "SUCCESS"
    record = one["ResourceRecord"]
    assert record["Type"] == "CNAME"
    assert record["Name"].startswith("_")
    assert record["Name"].endswith(".web.test.")
    assert record["Value"].endswith(".acm-validations.aws.")
    other = described(acm_client, request(acm_client, ValidationMethod="DNS"))
    assert other["DomainValidationOptions"][0]["ResourceRecord"] == record


def test_whom_email_validation_would_ask(acm_client):
    asked = [{"DomainName": "a.web.test", "ValidationDomain": "web.test"}]
    arn = request(acm_client, "a.web.test", DomainValidationOptions=asked)
    (shown,) = described(acm_client, arn)["DomainValidationOptions"]
    assert (shown["ValidationMethod"], shown["ValidationDomain"]) == ("EMAIL", "web.test")
    assert "admin@web.test" in shown["ValidationEmails"]


def test_the_same_token_gives_the_same_certificate(acm_client):
    first = request(acm_client, IdempotencyToken="once")
    assert request(acm_client, IdempotencyToken="once") == first
    assert request(acm_client, "other.test", IdempotencyToken="once") != first
    assert request(acm_client) != request(acm_client)


@pytest.mark.parametrize(
    ("members", "code", "words"),
    [
        ({"KeyAlgorithm": "RSA_4096"}, "InvalidParameterException", "RSA_4096 is not supported"),
        ({"ValidationMethod": "HTTP"}, "InvalidParameterException", "CloudFront"),
        ({"ManagedBy": "CLOUDFRONT"}, "InvalidParameterException", "CloudFront"),
        (
            {"CertificateAuthorityArn": f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:x/y"},
            "InvalidArnException",
            "Private CA",
        ),
        (
            {"DomainValidationOptions": [{"DomainName": "web.test", "ValidationDomain": "x.test"}]},
            "InvalidDomainValidationOptionsException",
            "superdomain",
        ),
        ({"Tags": [{"Key": "aws:a", "Value": "b"}]}, "InvalidTagException", "aws:a"),
        ({"DomainName": "no domain"}, "ValidationException", "domainName"),
    ],
)
def test_requests_that_are_refused(acm_client, members, code, words):
    with pytest.raises(ClientError, match=words) as refused:
        request(acm_client, **members)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("operation", ["describe", "get", "delete", "renew"])
def test_certificates_that_are_not_there(acm_client, operation):
    call = getattr(acm_client, f"{operation}_certificate")
    with pytest.raises(acm_client.exceptions.ResourceNotFoundException, match="Could not find"):
        call(CertificateArn=ABSENT)
    with pytest.raises(acm_client.exceptions.ResourceNotFoundException):
        call(CertificateArn=ABSENT.replace(REGION, "us-west-2"))
    with pytest.raises(acm_client.exceptions.InvalidArnException):
        call(CertificateArn=ABSENT.replace("certificate/", "other/"))


@pytest.mark.covers("acm:DeleteCertificate")
def test_a_certificate_is_deleted_once_no_listener_uses_it(acm_client, door):
    arn = request(acm_client)
    door.listen(arn)
    assert described(acm_client, arn)["InUseBy"] == [BALANCER_ARN]
    with pytest.raises(acm_client.exceptions.ResourceInUseException) as refused:
        acm_client.delete_certificate(CertificateArn=arn)
    message = f"Certificate {arn} in account {ACCOUNT} is in use."
    assert refused.value.response["Error"]["Message"] == message
    door.listen()
    acm_client.delete_certificate(CertificateArn=arn)
    with pytest.raises(acm_client.exceptions.ResourceNotFoundException):
        described(acm_client, arn)


@pytest.mark.covers("acm:RenewCertificate")
def test_what_is_in_use_can_be_renewed(acm_client, door):
    arn = request(acm_client)
    with pytest.raises(ClientError, match="not eligible"):
        acm_client.renew_certificate(CertificateArn=arn)
    door.listen(arn)
    before = described(acm_client, arn)
    assert before["RenewalEligibility"] == "ELIGIBLE"
    acm_client.renew_certificate(CertificateArn=arn)
    after = described(acm_client, arn)
    assert after["Serial"] != before["Serial"]
    assert after["SubjectAlternativeNames"] == before["SubjectAlternativeNames"]
    assert after["RenewalSummary"]["RenewalStatus"] == "SUCCESS"


@pytest.mark.covers("acm:ExportCertificate")
def test_only_what_was_requested_so_can_be_exported(acm_client):
    kept = request(acm_client)
    with pytest.raises(ClientError, match="not a private certificate") as refused:
        acm_client.export_certificate(CertificateArn=kept, Passphrase=b"secret")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    arn = request(acm_client, Options={"Export": "ENABLED"})
    given = acm_client.export_certificate(CertificateArn=arn, Passphrase=b"secret")
    key = load_pem_private_key(given["PrivateKey"].encode(), b"secret")
    own = load_pem_x509_certificate(given["Certificate"].encode())
    assert key.public_key() == own.public_key()
    assert described(acm_client, arn)["RenewalEligibility"] == "ELIGIBLE"


@pytest.mark.covers("acm:UpdateCertificateOptions")
def test_logging_can_be_changed_and_exportability_not(acm_client):
    arn = request(acm_client)
    off = {"CertificateTransparencyLoggingPreference": "DISABLED"}
    acm_client.update_certificate_options(CertificateArn=arn, Options=off)
    assert described(acm_client, arn)["Options"] == {**off, "Export": "DISABLED"}
    with pytest.raises(acm_client.exceptions.InvalidStateException):
        acm_client.update_certificate_options(CertificateArn=arn, Options={"Export": "ENABLED"})


@pytest.mark.covers("acm:GetAccountConfiguration", "acm:PutAccountConfiguration")
def test_when_there_is_word_of_what_runs_out(acm_client):
    shown = acm_client.get_account_configuration()["ExpiryEvents"]
    assert shown == {"DaysBeforeExpiry": 45}
    wanted = {"DaysBeforeExpiry": 7}
    acm_client.put_account_configuration(ExpiryEvents=wanted, IdempotencyToken="a")
    assert acm_client.get_account_configuration()["ExpiryEvents"] == wanted
