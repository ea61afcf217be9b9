"""Terraform's rules that authenticate, and its targets that are functions and load balancers."""

from __future__ import annotations

import pytest

from openecs_server import free_port
from test_services_terraform import Stack
from test_terraform import pytestmark

__all__ = ["pytestmark"]

STACK = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_requesting_account_id = false
}

variable "unauthenticated" {
  type = string
}

variable "multiple" {
  type = bool
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
  domain_name       = "one.test"
  validation_method = "DNS"
}

resource "aws_lb" "inner" {
  name    = "%(name)s"
  subnets = data.aws_subnets.default.ids
}

resource "aws_lb_target_group" "functions" {
  name                               = "%(name)s-f"
  target_type                        = "lambda"
  lambda_multi_value_headers_enabled = var.multiple
}

resource "aws_lb_target_group_attachment" "function" {
  target_group_arn = aws_lb_target_group.functions.arn
  target_id        = "arn:aws:lambda:us-east-1:000000000000:function:shop"
}

resource "aws_lb_listener" "inner" {
  load_balancer_arn = aws_lb.inner.arn
  protocol          = "HTTPS"
  port              = %(port)d
  certificate_arn   = aws_acm_certificate.this.arn

  default_action {
    type  = "authenticate-oidc"
    order = 1
    authenticate_oidc {
      issuer                     = "https://idp.test"
      authorization_endpoint     = "https://idp.test/authorize"
      token_endpoint             = "https://idp.test/token"
      user_info_endpoint         = "https://idp.test/userinfo"
      client_id                  = "me"
      client_secret              = "hidden"
      on_unauthenticated_request = var.unauthenticated
      authentication_request_extra_params = {
        prompt = "login"
      }
    }
  }

  default_action {
    type             = "forward"
    order            = 2
    target_group_arn = aws_lb_target_group.functions.arn
  }
}

resource "aws_lb_listener_rule" "staff" {
  listener_arn = aws_lb_listener.inner.arn
  priority     = 5

  action {
    type  = "authenticate-oidc"
    order = 1
    authenticate_oidc {
      issuer                 = "https://idp.test"
      authorization_endpoint = "https://idp.test/authorize"
      token_endpoint         = "https://idp.test/token"
      user_info_endpoint     = "https://idp.test/userinfo"
      client_id              = "staff"
      client_secret          = "hidden"
      session_cookie_name    = "staff"
      session_timeout        = 3600
    }
  }

  action {
    type  = "fixed-response"
    order = 2
    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
    }
  }

  condition {
    path_pattern {
      values = ["/staff"]
    }
  }
}

resource "aws_lb" "outer" {
  name               = "%(name)s-n"
  load_balancer_type = "network"
  subnets            = data.aws_subnets.default.ids
}

resource "aws_lb_target_group" "inner" {
  name        = "%(name)s-i"
  protocol    = "TCP"
  port        = %(port)d
  target_type = "alb"
  vpc_id      = data.aws_vpc.default.id

  health_check {
    protocol = "HTTPS"
    matcher  = "200-499"
  }
}

resource "aws_lb_target_group_attachment" "inner" {
  target_group_arn = aws_lb_target_group.inner.arn
  target_id        = aws_lb.inner.arn
  port             = %(port)d
  depends_on       = [aws_lb_listener.inner]
}

resource "aws_lb_listener" "outer" {
  load_balancer_arn = aws_lb.outer.arn
  protocol          = "TCP"
  port              = %(other)d

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.inner.arn
  }
}
"""


@pytest.mark.timeout(240)
def test_rules_that_authenticate_and_targets_of_other_kinds(own_server, tmp_path):
    own_server.extra["OPENECS_LAMBDA_URL"] = "http://127.0.0.1:1"
    own_server.start()
    directory = tmp_path / "stack"
    directory.mkdir()
    values = {"name": "shop", "port": free_port(), "other": free_port()}
    (directory / "main.tf").write_text(STACK % values)
    stack = Stack(own_server, directory)
    stack.apply(unauthenticated="deny", multiple="false")
    stack.apply(unauthenticated="allow", multiple="true")
    stack("destroy", "-auto-approve", "-var=unauthenticated=allow", "-var=multiple=true")
    elb = own_server.client("elbv2")
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert elb.describe_target_groups()["TargetGroups"] == []
    assert "hidden" not in own_server.log.read_text()
