"""Values for tests: each builder gives a plain, valid one and takes what the test is about.

Nothing here is random: identifiers count up from 1 and the clock stands at ``NOW``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

from openecs.api.base import ApiSettings, Call, Caller
from openecs.decide.default_network import default_network
from openecs.model.certificates import (
    Certificate,
    CertificateType,
    Facts,
    KeyPair,
    ServerCertificate,
)
from openecs.model.clusters import Cluster, ContainerInstance, Machine
from openecs.model.identity import Scope
from openecs.model.load_balancing import (
    Action,
    ForwardAction,
    Listener,
    LoadBalancer,
    LoadBalancerType,
    Scheme,
    TargetGroup,
    TargetHealthCheck,
    TargetType,
    WeightedTargetGroup,
)
from openecs.model.task_definitions import (
    Attribute,
    ContainerDefinition,
    TaskDefinition,
    TaskDefinitionStatus,
)
from openecs.model.tasks import Container, ContainerStatus, LaunchType, Task, TaskStatus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCOPE = Scope("123456789012", "eu-central-1")
#: Of the default VPC there.
SUBNET = default_network(SCOPE).subnets[0].id
SECURITY_GROUP = default_network(SCOPE).security_group.id


class CountingIds:
    """Identifiers of the right form that count up: 1, 2, 3 ..."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count(1)

    def uuid(self) -> str:
        """A dashed UUID."""
        digits = self.hex32()
        cuts = (0, 8, 12, 16, 20, 32)
        return "-".join(digits[a:b] for a, b in pairwise(cuts))

    def hex32(self) -> str:
        """32 hexadecimal digits."""
        return f"{next(self._numbers):032x}"

    def digits(self, count: int) -> str:
        """``count`` decimal digits, the first of them 1."""
        return "1" + str(next(self._numbers)).zfill(count - 1)


def a_call(**changes: Any) -> Call:
    """A call of the root user at ``NOW``."""
    account = changes.get("scope", SCOPE).account
    values = {
        "scope": SCOPE,
        "caller": Caller(
            arn=f"arn:aws:iam::{account}:root",
            user_id=account,
            account=account,
            access_key_id="AKIAIOSFODNN7EXAMPLE",
        ),
        "request_id": "00000000-0000-0000-0000-000000000001",
        "now": NOW,
        "ids": CountingIds(),
        "settings": ApiSettings(),
    }
    return Call(**{**values, **changes})


def a_cluster(name: str = "default", **changes: Any) -> Cluster:
    """An ACTIVE cluster."""
    return Cluster(**{"scope": SCOPE, "name": name, "created_at": NOW, **changes})


def a_container_definition(name: str = "app", **changes: Any) -> ContainerDefinition:
    """A small essential container."""
    return ContainerDefinition(**{"name": name, "image": "busybox", "memory": 64, **changes})


def a_task_definition(
    family: str = "web", revision: int = 1, *containers: ContainerDefinition, **changes: Any
) -> TaskDefinition:
    """An ACTIVE definition for EC2, of one small container unless others are given."""
    values = {
        "scope": SCOPE,
        "family": family,
        "revision": revision,
        "status": TaskDefinitionStatus.ACTIVE,
        "container_definitions": containers or (a_container_definition(),),
        "compatibilities": ("EC2",),
        "registered_at": NOW,
        "registered_by": f"arn:aws:iam::{SCOPE.account}:root",
    }
    return TaskDefinition(**{**values, **changes})


def a_container(name: str = "app", **changes: Any) -> Container:
    """A PENDING container of ``a_task``."""
    identifier = "00000000-0000-0000-0000-000000000001"
    return Container(**{"id": identifier, "name": name, "image": "busybox", **changes})


def a_task(number: int = 1, **changes: Any) -> Task:
    """A task that runs on ``a_machine`` as part of ``a_container_instance``."""
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "id": f"{number:032x}",
        "family": "web",
        "revision": 1,
        "launch_type": LaunchType.EC2,
        "container_instance": an_instance_id(),
        "machine": "machine-1",
        "last_status": TaskStatus.RUNNING,
        "containers": (a_container(last_status=ContainerStatus.RUNNING),),
        "cpu": 0,
        "memory": 64,
        "group": "family:web",
        "created_at": NOW,
    }
    return Task(**{**values, **changes})


def a_machine(number: int = 1, **changes: Any) -> Machine:
    """A connected machine of two cores and 4 GiB."""
    values = {
        "id": f"machine-{number}",
        "hostname": f"host-{number}",
        "cpu": 2048,
        "memory": 4096,
        "reserved_ports": ("22/tcp", "2375/tcp", "2376/tcp", "51678/tcp", "51679/tcp"),
        "attributes": (
            Attribute(name="ecs.os-type", value="linux"),
            Attribute(name="ecs.cpu-architecture", value="x86_64"),
        ),
        "engine_version": "27.0.0",
        "agent_version": "1.90.0",
        "connected": True,
        "registered_at": NOW,
    }
    return Machine(**{**values, **changes})


def an_instance_id(number: int = 1) -> str:
    """The id of ``a_container_instance(number)``."""
    return f"{0xC0DE0000 + number:032x}"


def a_container_instance(number: int = 1, **changes: Any) -> ContainerInstance:
    """An ACTIVE record of ``a_machine(number)`` in cluster ``default``."""
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "id": an_instance_id(number),
        "machine": f"machine-{number}",
        "ec2_instance_id": f"i-{number:017x}",
        "attributes": a_machine(number).attributes,
        "registered_at": NOW,
    }
    return ContainerInstance(**{**values, **changes})


def a_load_balancer(name: str = "front", **changes: Any) -> LoadBalancer:
    """An application load balancer for everybody."""
    values = {
        "scope": SCOPE,
        "name": name,
        "id": "1".zfill(16),
        "type": LoadBalancerType.APPLICATION,
        "scheme": Scheme.INTERNET_FACING,
        "ip_address_type": "ipv4",
        "vpc_id": "vpc-1",
        "subnets": (),
        "dns_name": f"{name}-1.{SCOPE.region}.elb.localhost",
        "loopback_address": "127.64.0.1",
        "created_at": NOW,
    }
    return LoadBalancer(**{**values, **changes})


def a_target_group(name: str = "targets", **changes: Any) -> TargetGroup:
    """A target group of instances, checked by HTTP."""
    values = {
        "scope": SCOPE,
        "name": name,
        "id": "2".zfill(16),
        "target_type": TargetType.INSTANCE,
        "protocol": "HTTP",
        "protocol_version": "HTTP1",
        "port": 80,
        "vpc_id": "vpc-1",
        "health_check": TargetHealthCheck(protocol="HTTP", path="/", http_codes="200"),
        "created_at": NOW,
    }
    return TargetGroup(**{**values, **changes})


def a_listener(*groups: TargetGroup, **changes: Any) -> Listener:
    """A listener of ``a_load_balancer`` on port 80 that forwards to the groups in equal shares."""
    shares = tuple(WeightedTargetGroup(target_group_arn=group.arn) for group in groups)
    values = {
        "scope": SCOPE,
        "load_balancer": a_load_balancer().path,
        "id": "3".zfill(16),
        "protocol": "HTTP",
        "port": 80,
        "default_actions": (Action(type="forward", forward=ForwardAction(target_groups=shares)),),
        "created_at": NOW,
    }
    return Listener(**{**values, **changes})


def facts_of_a_certificate(**changes: Any) -> Facts:
    """Of a certificate for ``web.test``, with 395 days before it."""
    values = {
        "subject": "CN=web.test",
        "issuer": "OpenECS",
        "serial": "01:02",
        "names": ("web.test",),
        "not_before": NOW,
        "not_after": NOW + timedelta(days=395),
        "key_algorithm": "EC_prime256v1",
        "signature_algorithm": "SHA256WITHECDSA",
    }
    return Facts(**{**values, **changes})


def a_certificate(**changes: Any) -> Certificate:
    """A certificate issued here; its texts are no real PEM."""
    values = {
        "scope": SCOPE,
        "id": "00000000-0000-0000-0000-0000000000c1",
        "type": CertificateType.AMAZON_ISSUED,
        "key_pair": KeyPair(certificate="certificate", private_key="key", chain="chain"),
        "facts": facts_of_a_certificate(),
        "created_at": NOW,
        "issued_at": NOW,
        "validation_method": "DNS",
    }
    return Certificate(**{**values, **changes})


def a_server_certificate(**changes: Any) -> ServerCertificate:
    """A certificate uploaded to IAM; its texts are no real PEM."""
    values = {
        "scope": Scope(SCOPE.account, ""),
        "name": "web",
        "id": "ASCAAAAAAAAAAAAAAAAAA",
        "key_pair": KeyPair(certificate="certificate", private_key="key"),
        "facts": facts_of_a_certificate(),
        "uploaded_at": NOW,
    }
    return ServerCertificate(**{**values, **changes})
