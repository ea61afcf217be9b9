"""The health check settings of a target group: defaults, and what may be.

Elastic Load Balancing API Reference, CreateTargetGroup, ModifyTargetGroup.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from openecs.api.base import Members
from openecs.api.elbv2 import errors
from openecs.model.load_balancing import TargetHealthCheck, TargetType

_HTTP = ("HTTP", "HTTPS")
_CODES = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What of a target group decides how it may be checked."""

    protocol: str
    protocol_version: str | None
    target_type: str

    @property
    def is_http(self) -> bool:
        """Whether an application load balancer speaks to it."""
        return self.protocol in _HTTP

    @property
    def is_grpc(self) -> bool:
        """Whether gRPC is spoken."""
        return self.protocol_version == "GRPC"

    @property
    def answers_http(self) -> bool:
        """Whether it is checked by requests only."""
        return self.is_http or self.target_type == TargetType.ALB


def parse(
    group: Checked, request: Members, before: TargetHealthCheck | None = None
) -> TargetHealthCheck:
    """The settings a request asks for; what it leaves out stays as ``before`` or is the default.

    Raises ``ValidationError`` and ``InvalidConfigurationRequest``.
    """
    protocol = request.get("HealthCheckProtocol") or _protocol(group, before)
    _check_protocol(group, request, protocol)
    if before is not None and (before.protocol in _HTTP) != (protocol in _HTTP):
        before = None
    given = _given(request, before)
    check = TargetHealthCheck(
        protocol=protocol,
        port=given.get("HealthCheckPort") or "traffic-port",
        interval=given.get("HealthCheckIntervalSeconds") or 30,
        timeout=given.get("HealthCheckTimeoutSeconds") or _timeout(group, protocol),
        healthy_threshold=given.get("HealthyThresholdCount") or 5,
        unhealthy_threshold=given.get("UnhealthyThresholdCount") or 2,
        **_http_settings(group, given, protocol),
    )
    _check(group, check)
    return check


def _protocol(group: Checked, before: TargetHealthCheck | None) -> str:
    if before is not None:
        return before.protocol
    return "HTTP" if group.answers_http else "TCP"


def _check_protocol(group: Checked, request: Members, protocol: str) -> None:
    allowed = _HTTP if group.answers_http else ("HTTP", "HTTPS", "TCP")
    if protocol not in allowed:
        raise errors.validation(
            f"Health check protocol '{protocol}' must be one of '{', '.join(allowed)}' for target "
            f"groups with the protocol '{group.protocol}'"
        )
    if request.get("HealthCheckEnabled") is False:
        raise errors.validation(
            "Health check enabled must be true for target groups with target type "
            f"'{group.target_type}'"
        )
    if protocol == "TCP" and (request.get("HealthCheckPath") or request.get("Matcher")):
        raise errors.invalid_configuration(
            "You cannot specify a health check path or matcher for health checks with the "
            "protocol 'TCP'"
        )


def _given(request: Members, before: TargetHealthCheck | None) -> dict[str, Any]:
    kept = {} if before is None else members(before)
    return {**kept, **{name: value for name, value in request.items() if value is not None}}


def members(check: TargetHealthCheck) -> dict[str, Any]:
    """The settings as AWS spells them."""
    codes = {"HttpCode": check.http_codes, "GrpcCode": check.grpc_codes}
    return {
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckEnabled": check.enabled,
        "HealthCheckIntervalSeconds": check.interval,
        "HealthCheckTimeoutSeconds": check.timeout,
        "HealthyThresholdCount": check.healthy_threshold,
        "UnhealthyThresholdCount": check.unhealthy_threshold,
        "HealthCheckPath": check.path,
        "Matcher": codes if check.protocol in _HTTP else None,
    }


def _timeout(group: Checked, protocol: str) -> int:
    if group.is_http:
        return 5
    return 6 if protocol == "HTTP" else 10


def _http_settings(group: Checked, given: Members, protocol: str) -> dict[str, Any]:
    if protocol not in _HTTP:
        return {}
    matcher = given.get("Matcher") or {}
    if group.is_grpc:
        path = given.get("HealthCheckPath") or "/AWS.ALB/healthcheck"
        codes = matcher.get("GrpcCode") or "12"
        _check_codes("GrpcCode", codes, 0, 99)
        return {"path": path, "grpc_codes": codes}
    codes = matcher.get("HttpCode") or ("200" if group.is_http else "200-399")
    _check_codes("HttpCode", codes, 200, 499 if group.is_http else 599)
    return {"path": given.get("HealthCheckPath") or "/", "http_codes": codes}


def _check_codes(name: str, codes: str, least: int, most: int) -> None:
    numbers = [int(each) for each in re.findall(r"\d+", codes)]
    if not _CODES.fullmatch(codes):
        raise errors.validation(f"{name} must be like 200 | 200-399 | 200,201 ...")
    if not all(least <= number <= most for number in numbers):
        raise errors.validation(
            f"{name} '{codes}' must be within the range '{least}-{most}' inclusive"
        )


def _check(group: Checked, check: TargetHealthCheck) -> None:
    too_long = check.timeout >= check.interval if group.is_http else check.timeout > check.interval
    if too_long:
        raise errors.validation(
            f"Health check timeout '{check.timeout}' must be smaller than the interval "
            f"'{check.interval}'"
        )
    if check.path is not None and not check.path.startswith("/"):
        raise errors.validation(f"Health check path '{check.path}' must begin with a '/' character")
    if check.port == "traffic-port":
        return
    if not (check.port.isdecimal() and 1 <= int(check.port) <= _HIGHEST_PORT):
        raise errors.validation(
            f"Health check port '{check.port}' must be in the range '1-{_HIGHEST_PORT}' inclusive "
            "or 'traffic-port'"
        )
