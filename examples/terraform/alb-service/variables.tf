variable "endpoint" {
  description = "Where OpenECS listens. Unless given: AWS_ENDPOINT_URL, which `openecs env` exports."
  type        = string
  default     = null
}

variable "name" {
  description = "What everything here is called."
  type        = string
  default     = "alb-service"
}

variable "port" {
  description = "The port of the load balancer. Below 1024 OpenECS has to run as root."
  type        = number
  default     = 8080
}

variable "image" {
  description = "What each task runs: an image with BusyBox's httpd."
  type        = string
  default     = "busybox"
}

variable "greeting" {
  description = "What the service answers. Another one is another deployment."
  type        = string
  default     = "Hello from ECS"
}

variable "desired_count" {
  description = "How many tasks share the requests."
  type        = number
  default     = 2
}
