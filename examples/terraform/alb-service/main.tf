# A service behind an Application Load Balancer on OpenECS, by the ordinary AWS provider.
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

  endpoints {
    ec2   = var.endpoint
    ecs   = var.endpoint
    elbv2 = var.endpoint
    sts   = var.endpoint
  }
}

data "aws_region" "current" {}

resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "application"
  internal           = true
  subnets            = [for one in aws_subnet.this : one.id]
  security_groups    = [aws_security_group.load_balancer.id]
}

resource "aws_lb_target_group" "web" {
  name                 = "${var.name}-web"
  target_type          = "instance"
  protocol             = "HTTP"
  port                 = 80
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 5

  health_check {
    path                = "/"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = var.port

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_listener_rule" "about" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10

  condition {
    path_pattern {
      values = ["/about", "/about/*"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
      message_body = "An answer of the load balancer's own."
    }
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name
}

resource "aws_ecs_task_definition" "web" {
  family       = var.name
  network_mode = "bridge"

  container_definitions = jsonencode([
    {
      name      = "web"
      image     = var.image
      cpu       = 64
      memory    = 32
      essential = true
      # $HOSTNAME is the container's id, so that one sees who answered.
      command = [
        "sh", "-c",
        "mkdir /www && echo \"$GREETING, $HOSTNAME\" > /www/index.html && exec httpd -f -p 80 -h /www"
      ]
      environment     = [{ name = "GREETING", value = var.greeting }]
      portMappings    = [{ containerPort = 80, hostPort = 0, protocol = "tcp" }]
      linuxParameters = { initProcessEnabled = true }
    }
  ])
}

resource "aws_ecs_service" "web" {
  name                              = "web"
  cluster                           = aws_ecs_cluster.this.id
  task_definition                   = aws_ecs_task_definition.web.arn
  desired_count                     = var.desired_count
  launch_type                       = "EC2"
  health_check_grace_period_seconds = 30

  load_balancer {
    target_group_arn = aws_lb_target_group.web.arn
    container_name   = "web"
    container_port   = 80
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # A target group without a listener has no load balancer yet, and the service would be refused.
  depends_on = [aws_lb_listener.http]
}
