output "url" {
  description = "Where the service answers."
  value       = "http://${aws_lb.this.dns_name}:${var.port}/"
}

output "target_group" {
  description = "For `aws elbv2 describe-target-health --target-group-arn`."
  value       = aws_lb_target_group.web.arn
}
