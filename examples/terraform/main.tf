# A cluster and a task definition on OpenECS, by the ordinary AWS provider.
# `openecs env` exports the endpoint, the keys and the region that the provider reads.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.62"
    }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

resource "aws_ecs_cluster" "this" {
  name = "from-terraform"
}

resource "aws_ecs_task_definition" "web" {
  family = "from-terraform"
  container_definitions = jsonencode([
    {
      name         = "web"
      image        = "nginx"
      cpu          = 256
      memory       = 512
      essential    = true
      portMappings = [{ containerPort = 80, hostPort = 0 }]
    }
  ])
}

output "run" {
  value = "aws ecs run-task --cluster ${aws_ecs_cluster.this.name} --task-definition ${aws_ecs_task_definition.web.family}"
}
