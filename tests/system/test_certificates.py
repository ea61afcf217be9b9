"""Certificates of a whole server: issued, kept over a restart, trusted by ``openecs ca``."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.x509 import load_pem_x509_certificate

from made_certificates import make
from openecs_server import OpenEcs
from test_terraform import PLUGINS, terraform, with_terraform

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

resource "aws_acm_certificate" "issued" {
  domain_name               = "shop.test"
  subject_alternative_names = ["*.shop.test"]
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"
  tags                      = { team = "a" }
}

resource "aws_acm_certificate_validation" "issued" {
  certificate_arn         = aws_acm_certificate.issued.arn
  validation_record_fqdns = [
    for one in aws_acm_certificate.issued.domain_validation_options : one.resource_record_name
  ]
}

resource "aws_acm_certificate" "imported" {
  certificate_body = file("own.pem")
  private_key      = file("own.key")
}

resource "aws_iam_server_certificate" "uploaded" {
  name             = "uploaded"
  certificate_body = file("own.pem")
  private_key      = file("own.key")
}

output "arn" {
  value = aws_acm_certificate_validation.issued.certificate_arn
}
"""


def printed_by_ca(server: OpenEcs) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "openecs", "ca"],
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.covers("acm:RequestCertificate", "acm:GetCertificate")
def test_what_is_issued_outlives_the_server_and_is_trusted_by_its_authority(own_server: OpenEcs):
    root = printed_by_ca(own_server)
    own_server.start()
    acm = own_server.client("acm")
    arn = acm.request_certificate(DomainName="shop.test")["CertificateArn"]
    before = acm.get_certificate(CertificateArn=arn)
    own_server.stop()
    own_server.start()
    after = own_server.client("acm").get_certificate(CertificateArn=arn)
    assert before["Certificate"] == after["Certificate"]
    assert printed_by_ca(own_server) == root == after["CertificateChain"]
    own = load_pem_x509_certificate(after["Certificate"].encode())
    own.verify_directly_issued_by(load_pem_x509_certificate(root.encode()))


@with_terraform
@pytest.mark.covers("acm:ImportCertificate", "iam:UploadServerCertificate")
def test_terraform(server: OpenEcs, tmp_path):
    own = make("own.test")
    (tmp_path / "own.pem").write_text(own.pem)
    (tmp_path / "own.key").write_text(own.key_pem)
    (tmp_path / "main.tf").write_text(CONFIGURATION)
    terraform(server, tmp_path, "init", f"-plugin-dir={PLUGINS}", "-input=false")
    terraform(server, tmp_path, "apply", "-auto-approve", "-input=false")
    terraform(server, tmp_path, "plan", "-detailed-exitcode", "-input=false")
    acm = server.client("acm")
    kinds = {"keyTypes": ["EC_prime256v1"]}
    listed = acm.list_certificates(Includes=kinds)["CertificateSummaryList"]
    assert {one["DomainName"] for one in listed} == {"shop.test", "own.test"}
    terraform(server, tmp_path, "destroy", "-auto-approve", "-input=false")
    assert acm.list_certificates(Includes=kinds)["CertificateSummaryList"] == []
    assert server.client("iam").list_server_certificates()["ServerCertificateMetadataList"] == []
