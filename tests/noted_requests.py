"""What Envoy notes of a request, for tests of access logs."""

from __future__ import annotations

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1"
ENTRY = {
    "time": "2018-07-02T22:23:00.186641Z",
    "created": "2018-07-02T22:22:48.364000Z",
    "client": "192.168.131.39:2817",
    "target": "10.0.0.1:80",
    "request_us": 86,
    "target_us": 1048,
    "response_us": 1337000,
    "status": 200,
    "details": "via_upstream",
    "flags": None,
    "received": 34,
    "sent": 366,
    "method": "GET",
    "authority": "www.example.com",
    "path": "/",
    "asked_host": None,
    "asked_path": None,
    "transform": None,
    "protocol": "HTTP/1.1",
    "agent": "curl/7.46.0",
    "content_type": None,
    "upgrade": None,
    "cipher": None,
    "tls": None,
    "name": None,
    "group": ARN,
    "trace": "Root=1-58337262-36d228ad5d99923122bbe354",
    "route": "0 forward",
    "location": None,
    "certificate": "-",
    "port": "80",
}
