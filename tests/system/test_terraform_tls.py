"""Terraform's listeners that speak TLS: applied, without drift, changed, gone."""

from __future__ import annotations

import pytest

from made_certificates import make, revoking
from openecs_server import free_port
from test_services_terraform import Stack
from test_terraform import pytestmark

__all__ = ["pytestmark"]

LISTENERS = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_requesting_account_id = false
}

variable "mode" {
  type = string
}

variable "frame" {
  type = string
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

resource "aws_acm_certificate" "this" {
  for_each          = toset(["one.test", "two.test"])
  domain_name       = each.key
  validation_method = "DNS"
}

resource "aws_lb_trust_store" "clients" {
  name                             = "%(name)s"
  ca_certificates_bundle_s3_bucket = "%(name)s"
  ca_certificates_bundle_s3_key    = "ca.pem"
}

resource "aws_lb_trust_store_revocation" "gone" {
  trust_store_arn        = aws_lb_trust_store.clients.arn
  revocations_s3_bucket  = "%(name)s"
  revocations_s3_key     = "gone.crl"
}

resource "aws_lb" "front" {
  name    = "%(name)s"
  subnets = data.aws_subnets.default.ids
}

resource "aws_lb_listener" "front" {
  load_balancer_arn = aws_lb.front.arn
  protocol          = "HTTPS"
  port              = %(port)d
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
  certificate_arn   = aws_acm_certificate.this["one.test"].arn

  routing_http_response_server_enabled               = false
  routing_http_response_x_frame_options_header_value = var.frame

  mutual_authentication {
    mode            = var.mode
    trust_store_arn = var.mode == "verify" ? aws_lb_trust_store.clients.arn : null
  }

  default_action {
    type = "fixed-response"
    fixed_response {
      status_code  = "200"
      content_type = "text/plain"
    }
  }
}

resource "aws_lb_listener_certificate" "two" {
  listener_arn    = aws_lb_listener.front.arn
  certificate_arn = aws_acm_certificate.this["two.test"].arn
}

resource "aws_lb" "flows" {
  name               = "%(name)s-n"
  load_balancer_type = "network"
  subnets            = data.aws_subnets.default.ids
}

resource "aws_lb_target_group" "flows" {
  name        = "%(name)s"
  protocol    = "TCP"
  port        = 80
  target_type = "ip"
  vpc_id      = data.aws_vpc.default.id
}

resource "aws_lb_listener" "flows" {
  load_balancer_arn = aws_lb.flows.arn
  protocol          = "TLS"
  port              = %(other)d
  ssl_policy        = "ELBSecurityPolicy-2016-08"
  alpn_policy       = "HTTP2Preferred"
  certificate_arn   = aws_acm_certificate.this["one.test"].arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.flows.arn
  }
}
"""


@pytest.mark.timeout(240)
def test_listeners_that_speak_tls(services, tmp_path):
    server, name = services.server, services.cluster[:28].strip("-")
    root = make("root", ca=True)
    bucket = server.data_dir / "objects" / name
    bucket.mkdir(parents=True)
    (bucket / "ca.pem").write_text(root.pem)
    (bucket / "gone.crl").write_bytes(revoking(root, make("gone", by=root)))
    (tmp_path / "main.tf").write_text(
        LISTENERS % {"name": name, "port": free_port(), "other": free_port()}
    )
    stack = Stack(server, tmp_path)
    stack.apply(mode="verify", frame="DENY")
    stack.apply(mode="passthrough", frame="SAMEORIGIN")
    stack("destroy", "-auto-approve", "-var=mode=passthrough", "-var=frame=SAMEORIGIN")
    left = server.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert not [each for each in left if each["LoadBalancerName"].startswith(name)]
