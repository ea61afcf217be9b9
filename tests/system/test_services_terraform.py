"""Terraform's ordinary ``aws_ecs_service``: applied, without drift, changed, gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from openecs_server import docker, eventually
from services import Services, runtime_id
from test_terraform import PLUGINS, pytestmark, terraform

__all__ = ["pytestmark"]

SERVICE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_requesting_account_id = false
}

variable "desired_count" {
  type = number
}

variable "greeting" {
  type = string
}

resource "aws_ecs_cluster" "this" {
  name = "%(cluster)s"
}

resource "aws_ecs_task_definition" "web" {
  family = "web-%(cluster)s"
  tags   = { of = "definition" }
  container_definitions = jsonencode([{
    name            = "app"
    image           = "busybox"
    memory          = 16
    essential       = true
    command         = ["sleep", "3600"]
    environment     = [{ name = "GREETING", value = var.greeting }]
    portMappings    = [{ containerPort = 80 }]
    linuxParameters = { initProcessEnabled = true }
  }])
}

resource "aws_ecs_service" "web" {
  name                    = "web"
  cluster                 = aws_ecs_cluster.this.id
  task_definition         = aws_ecs_task_definition.web.arn
  desired_count           = var.desired_count
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  wait_for_steady_state   = true
  tags                    = { team = "a" }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  ordered_placement_strategy {
    type  = "binpack"
    field = "memory"
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:ecs.os-type == linux"
  }
}
"""


class Stack:
    """A directory of Terraform's, and what it is applied with."""

    def __init__(self, server, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self("init", f"-plugin-dir={PLUGINS}")

    def __call__(self, verb: str, *flags: str) -> str:
        return terraform(self.server, self.directory, verb, *flags, "-input=false")

    def apply(self, **variables: object) -> None:
        values = [f"-var={name}={value}" for name, value in variables.items()]
        self("apply", "-auto-approve", *values)
        self("plan", "-detailed-exitcode", *values)


@pytest.mark.covers("ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService")
def test_a_service(services: Services, tmp_path: Path):
    services.ecs.delete_cluster(cluster=services.cluster)
    (tmp_path / "main.tf").write_text(SERVICE % {"cluster": services.cluster})
    stack = Stack(services.server, tmp_path)
    stack.apply(desired_count=2, greeting="hello")
    assert len(services.running_of("web", 2)) == len(services.containers()) == 2
    stack.apply(desired_count=3, greeting="goodbye")
    said = [
        docker("exec", runtime_id(task), "sh", "-c", "echo $GREETING")
        for task in services.running_of("web", 3)
    ]
    assert said == ["goodbye"] * 3
    stack("destroy", "-auto-approve", "-var=desired_count=3", "-var=greeting=goodbye")
    (cluster,) = services.ecs.describe_clusters(clusters=[services.cluster])["clusters"]
    assert cluster["status"] == "INACTIVE"
    assert eventually(lambda: services.containers() == [])
    services.ecs.create_cluster(clusterName=services.cluster)
