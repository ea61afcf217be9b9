"""The services the gateway knows and how a request tells which one it means.

What is here is enough to tell services apart without loading a model; ``catalog`` has the models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from openecs.gateway import sigv4
from openecs.gateway.exchange import Request
from openecs.gateway.refusal import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownService:
    """A service by botocore's name, and what gives it away in a request.

    ``target`` is the prefix of ``X-Amz-Target`` and of paths in CBOR, ``version`` that of the API,
    which no two query services share, ``paths`` how the paths of a REST service may start.
    """

    name: str
    signing_name: str
    endpoint: str
    target: str | None = None
    version: str | None = None
    paths: re.Pattern[str] | None = None


SERVICES = (
    KnownService(
        name="ecs",
        signing_name="ecs",
        endpoint="ecs",
        target="AmazonEC2ContainerServiceV20141113",
    ),
    KnownService(
        name="application-autoscaling",
        signing_name="application-autoscaling",
        endpoint="application-autoscaling",
        target="AnyScaleFrontendService",
    ),
    KnownService(
        name="elbv2",
        signing_name="elasticloadbalancing",
        endpoint="elasticloadbalancing",
        version="2015-12-01",
    ),
    KnownService(
        name="cloudwatch",
        signing_name="monitoring",
        endpoint="monitoring",
        target="GraniteServiceVersion20100801",
        version="2010-08-01",
    ),
    KnownService(name="logs", signing_name="logs", endpoint="logs", target="Logs_20140328"),
    KnownService(name="iam", signing_name="iam", endpoint="iam", version="2010-05-08"),
    KnownService(name="sts", signing_name="sts", endpoint="sts", version="2011-06-15"),
    KnownService(
        name="secretsmanager",
        signing_name="secretsmanager",
        endpoint="secretsmanager",
        target="secretsmanager",
    ),
    KnownService(name="ssm", signing_name="ssm", endpoint="ssm", target="AmazonSSM"),
    KnownService(
        name="ecr",
        signing_name="ecr",
        endpoint="api.ecr",
        target="AmazonEC2ContainerRegistry_V20150921",
    ),
    KnownService(
        name="servicediscovery",
        signing_name="servicediscovery",
        endpoint="servicediscovery",
        target="Route53AutoNaming_v20170314",
    ),
    KnownService(name="events", signing_name="events", endpoint="events", target="AWSEvents"),
    KnownService(name="ec2", signing_name="ec2", endpoint="ec2", version="2016-11-15"),
    KnownService(
        name="autoscaling",
        signing_name="autoscaling",
        endpoint="autoscaling",
        version="2011-01-01",
    ),
    KnownService(
        name="scheduler",
        signing_name="scheduler",
        endpoint="scheduler",
        paths=re.compile(r"/(schedules|schedule-groups|tags)(/|$)"),
    ),
    KnownService(name="sqs", signing_name="sqs", endpoint="sqs", target="AmazonSQS"),
    KnownService(name="acm", signing_name="acm", endpoint="acm", target="CertificateManager"),
    KnownService(
        name="route53",
        signing_name="route53",
        endpoint="route53",
        paths=re.compile(r"/2013-04-01/"),
    ),
    KnownService(name="s3", signing_name="s3", endpoint="s3"),
)

_CBOR_PATH = re.compile(r"/service/([^/]+)/operation/([^/]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """What a request says it is for: a service, a protocol and, but for REST, an operation."""

    service: KnownService
    protocol: str
    operation: str | None


def address(request: Request) -> Address | None:
    """What the request is for, or None where it names nothing known.

    What the request itself says comes before the service in its credential scope; a scope that says
    otherwise is then refused as such.
    """
    target = request.headers.get("x-amz-target")
    if target is not None:
        prefix, _, operation = target.rpartition(".")
        return _address(_BY_TARGET.get(prefix), "json", operation)
    cbor = _CBOR_PATH.fullmatch(request.path)
    if cbor is not None:
        return _address(_BY_TARGET.get(cbor[1]), "smithy-rpc-v2-cbor", cbor[2])
    if _is_form(request):
        return _form_address(request)
    service = _by_scope(request) or _by_host(request) or _by_path(request)
    return _address(service, "rest", None)


def _address(service: KnownService | None, protocol: str, operation: str | None) -> Address | None:
    return None if service is None else Address(service, protocol, operation)


def _is_form(request: Request) -> bool:
    if request.content_type == "application/x-www-form-urlencoded":
        return True
    return "Action=" in request.query


def _form_address(request: Request) -> Address | None:
    form = request.form
    version = form.get("Version", "")
    service = _by_scope(request) or _BY_VERSION.get(version) or _by_host(request)
    return _address(service, "query", form.get("Action", ""))


def _by_scope(request: Request) -> KnownService | None:
    try:
        return _BY_SIGNING_NAME.get(sigv4.claim(request).service)
    except Refused:
        return None


def _by_host(request: Request) -> KnownService | None:
    host = request.headers.get("host", "")
    return next((one for one in SERVICES if host.startswith(f"{one.endpoint}.")), None)


def _by_path(request: Request) -> KnownService | None:
    return next((one for one in SERVICES if one.paths and one.paths.match(request.path)), None)


def _by(
    word: Callable[[KnownService], str | None], services: Iterable[KnownService]
) -> Mapping[str, KnownService]:
    return {key: service for service in services if (key := word(service))}


_BY_TARGET = _by(lambda service: service.target, SERVICES)
_BY_VERSION = _by(lambda service: service.version, SERVICES)
_BY_SIGNING_NAME = _by(lambda service: service.signing_name, SERVICES)
