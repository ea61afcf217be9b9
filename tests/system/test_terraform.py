"""Terraform's ordinary AWS provider: applies, plans nothing more, is destroyed without a leftover.

``OPENECS_TERRAFORM_PLUGINS`` names a directory with the provider, as ``terraform init -plugin-dir``
takes it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PLUGINS = os.environ.get("OPENECS_TERRAFORM_PLUGINS", "")
EXAMPLE = Path(__file__).parents[2] / "examples" / "terraform" / "main.tf"

with_terraform = pytest.mark.skipif(
    not (PLUGINS and shutil.which("terraform")),
    reason="NOT TESTED: Terraform or OPENECS_TERRAFORM_PLUGINS is missing",
)
pytestmark = [pytest.mark.system, pytest.mark.timeout(300), with_terraform]

MORE = """
resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE"]
  default_capacity_provider_strategy {
    base              = 1
    weight            = 100
    capacity_provider = "FARGATE"
  }
}

resource "aws_ecs_task_definition" "more" {
  family                   = "more"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = "256"
  memory                   = "512"
  tags                     = { team = "a" }
  volume {
    name = "data"
  }
  container_definitions = jsonencode([{
    name        = "web"
    image       = "nginx"
    environment = [{ name = "A", value = "1" }]
    healthCheck = { command = ["CMD-SHELL", "curl -f localhost"], interval = 10 }
    mountPoints = [{ sourceVolume = "data", containerPath = "/data" }]
    dependsOn   = [{ containerName = "init", condition = "SUCCESS" }]
    }, {
    name      = "init"
    image     = "busybox"
    essential = false
    command   = ["true"]
  }])
}

resource "aws_ecs_account_setting_default" "insights" {
  name  = "containerInsights"
  value = "enabled"
}
"""


def terraform(server, directory: Path, *arguments: str, expect: int = 0) -> str:
    done = subprocess.run(
        ["terraform", *arguments, "-no-color"],
        cwd=directory,
        env=server.client_environment | {"TF_CLI_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


@pytest.mark.covers("ecs:PutClusterCapacityProviders", "sts:GetCallerIdentity")
def test_the_example_and_more(server, tmp_path):
    (tmp_path / "main.tf").write_text(EXAMPLE.read_text() + MORE)
    terraform(server, tmp_path, "init", f"-plugin-dir={PLUGINS}", "-input=false")
    terraform(server, tmp_path, "apply", "-auto-approve", "-input=false")
    terraform(server, tmp_path, "plan", "-detailed-exitcode", "-input=false")
    ecs = server.client("ecs")
    assert ecs.describe_clusters(clusters=["from-terraform"])["clusters"]
    terraform(server, tmp_path, "destroy", "-auto-approve", "-input=false")
    left = ecs.describe_clusters(clusters=["from-terraform"])["clusters"]
    assert [cluster["status"] for cluster in left] == ["INACTIVE"]
    assert ecs.list_task_definitions(familyPrefix="more")["taskDefinitionArns"] == []
