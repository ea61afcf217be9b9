"""Lambda functions as targets of application load balancers.

User Guide for Application Load Balancers, "Use Lambda functions as targets".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members
from openecs.api.elbv2 import errors, health_checks, tag_rules
from openecs.api.elbv2.health_checks import Checked
from openecs.api.elbv2.registration import NewTarget
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import TargetGroup, TargetHealthCheck, TargetType
from openecs.store.base import View
from openecs.store.kinds import TARGETS

_HEALTH = TargetHealthCheck(
    enabled=False, protocol="HTTP", path="/", interval=35, timeout=30, http_codes="200"
)
_NOT_OF_FUNCTIONS = ("Protocol", "ProtocolVersion", "Port", "VpcId", "HealthCheckProtocol")


def target_group(call: Call, request: Members) -> TargetGroup:
    """The target group of a request.

    Raises ``ValidationError``, ``InvalidConfigurationRequest``.
    """
    if not call.settings.lambda_url:
        raise errors.not_built(
            "target groups of Lambda functions without the setting lambda_url, which says where "
            "they are invoked"
        )
    for name in _NOT_OF_FUNCTIONS:
        if request.get(name):
            raise errors.validation(f"'{name}' cannot be specified with target type 'lambda'")
    return TargetGroup(
        scope=call.scope,
        name=request["Name"],
        id=call.ids.hex32()[-16:],
        target_type=TargetType.LAMBDA,
        protocol=None,
        health_check=health_check(request, _HEALTH),
        created_at=call.now,
        tags=tag_rules.parse(request.get("Tags")),
    )


def health_check(request: Members, before: TargetHealthCheck) -> TargetHealthCheck:
    """The settings of a request; functions are checked where that is asked for.

    Raises ``InvalidConfigurationRequest``, ``ValidationError``.
    """
    asked = request.get("HealthCheckEnabled")
    given = {name: value for name, value in request.items() if name != "HealthCheckEnabled"}
    enabled = before.enabled if asked is None else bool(asked)
    checked = Checked(protocol="HTTP", protocol_version=None, target_type=TargetType.LAMBDA)
    return replace(health_checks.parse(checked, given, before), enabled=enabled)


def check_registration(view: View, group: TargetGroup, targets: Sequence[NewTarget]) -> None:
    """Whether targets can be registered. Raises ``ValidationError``, ``TooManyTargets``."""
    for target in targets:
        parsed = parse_arn(target.id)
        word = parsed.resource.partition(":")[0] if parsed else ""
        if parsed is None or parsed.service != "lambda" or word != "function":
            raise errors.validation(f"'{target.id}' is not a valid Lambda function ARN")
        if target.port:
            raise errors.validation("A port cannot be specified for a Lambda function")
    known = {each.id for each in view.scan(TARGETS, group.scope, prefix=f"{group.path}/")}
    if len(known | {target.id for target in targets}) > 1:
        raise errors.too_many(
            "Targets", "A target group with target type 'lambda' can have only one target"
        )
