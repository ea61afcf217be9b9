"""Terraform's alarms: applied, without drift, changed, imported, gone."""

from __future__ import annotations

from test_terraform import PLUGINS, pytestmark, terraform

__all__ = ["pytestmark"]

ALARMS = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

variable "threshold" {
  type = number
}

resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name                = "from-terraform-cpu"
  alarm_description         = "too busy"
  namespace                 = "AWS/ECS"
  metric_name               = "CPUUtilization"
  dimensions                = { ClusterName = "default", ServiceName = "web" }
  statistic                 = "Average"
  unit                      = "Percent"
  period                    = 60
  evaluation_periods        = 3
  datapoints_to_alarm       = 2
  threshold                 = var.threshold
  comparison_operator       = "GreaterThanThreshold"
  treat_missing_data        = "notBreaching"
  alarm_actions             = ["arn:aws:sns:us-east-1:000000000000:alerts"]
  ok_actions                = ["arn:aws:sns:us-east-1:000000000000:alerts"]
  insufficient_data_actions = []
  tags                      = { team = "a" }
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name                            = "from-terraform-slow"
  namespace                             = "AWS/ApplicationELB"
  metric_name                           = "TargetResponseTime"
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 300
  evaluation_periods                    = 1
  threshold                             = 0.5
  comparison_operator                   = "GreaterThanOrEqualToThreshold"
}

resource "aws_cloudwatch_metric_alarm" "math" {
  alarm_name          = "from-terraform-math"
  evaluation_periods  = 2
  threshold           = 5
  comparison_operator = "GreaterThanThreshold"
  metric_query {
    id          = "percent"
    expression  = "100 * FILL(errors, 0) / requests"
    label       = "failed"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_Target_5XX_Count", requests = "RequestCount" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = "app/web/0123456789abcdef" }
        period      = 60
        stat        = "Sum"
        unit        = "Count"
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "both" {
  alarm_name        = "from-terraform-both"
  alarm_description = "busy and slow"
  alarm_rule        = join(" AND ", [
    "ALARM(${aws_cloudwatch_metric_alarm.cpu.alarm_name})",
    "ALARM(${aws_cloudwatch_metric_alarm.slow.alarm_name})",
  ])
  alarm_actions     = ["arn:aws:sns:us-east-1:000000000000:alerts"]
  tags              = { team = "b" }
  actions_suppressor {
    alarm            = aws_cloudwatch_metric_alarm.slow.alarm_name
    wait_period      = 20
    extension_period = 10
  }
}
"""
NAMES = [f"from-terraform-{name}" for name in ("both", "cpu", "math", "slow")]


def test_alarms_from_terraform(server, tmp_path):
    (tmp_path / "main.tf").write_text(ALARMS)
    terraform(server, tmp_path, "init", f"-plugin-dir={PLUGINS}", "-input=false")

    def run(verb: str, threshold: int, *arguments: str) -> None:
        told = ("-input=false", f"-var=threshold={threshold}")
        terraform(server, tmp_path, verb, *told, *arguments)

    run("apply", 70, "-auto-approve")
    run("plan", 70, "-detailed-exitcode")
    run("apply", 80, "-auto-approve")
    run("plan", 80, "-detailed-exitcode")
    cloudwatch = server.client("cloudwatch")
    (cpu,) = cloudwatch.describe_alarms(AlarmNames=["from-terraform-cpu"])["MetricAlarms"]
    assert cpu["Threshold"] == 80.0
    terraform(server, tmp_path, "state", "rm", "aws_cloudwatch_metric_alarm.cpu")
    imported = ("aws_cloudwatch_metric_alarm.cpu", "from-terraform-cpu")
    terraform(server, tmp_path, "import", "-input=false", "-var=threshold=80", *imported)
    run("plan", 80, "-detailed-exitcode")
    run("destroy", 80, "-auto-approve")
    types = ["MetricAlarm", "CompositeAlarm"]
    left = cloudwatch.describe_alarms(AlarmNames=NAMES, AlarmTypes=types)
    assert (left["MetricAlarms"], left["CompositeAlarms"]) == ([], [])
