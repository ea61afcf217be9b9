"""Deployments of ten tasks under 200 requests a second: how many requests each of them loses.

Half of the clients keep their connections, half make a new one for each request; every answer that
is no answer counts: a reset, a refusal, a status of 500 and more. OpenECS is killed at last, while
tasks are replaced, and started again.

    python -m benchmarks.deployments [--tasks 10] [--rate 200]
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from benchmarks import balancers, ecs_services, servers
from openecs.testing.traffic import Traffic, traffic

FAMILY = "deployed"
ROLE = "arn:aws:iam::000000000000:role/ecsInfrastructure"
#: Tasks are checked every so many seconds, and drained for as many.
CHECKED_EVERY, DRAINED_FOR = 5, 5
WITHIN = 300.0
LOOK_EVERY = 0.2
#: Requests go on for so long after a deployment: nothing may come late.
AFTERWARDS = 2.0

STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    "rolling": {"strategy": "ROLLING", "minimumHealthyPercent": 100, "maximumPercent": 150},
    "blue/green": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0},
    "canary": {
        "strategy": "CANARY",
        "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0},
        "bakeTimeInMinutes": 0,
    },
    "linear": {
        "strategy": "LINEAR",
        "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 0},
        "bakeTimeInMinutes": 0,
    },
}


class Service:
    """A service behind a load balancer, whose tasks answer with the name of their deployment."""

    def __init__(self, server: servers.Server, tasks: int) -> None:
        self.ecs, self.elb = server.ecs(), server.client("elbv2")
        self.vpc = server.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = server.client("ec2").describe_subnets()["Subnets"][:2]
        made = self.elb.create_load_balancer(
            Name=FAMILY, Subnets=[each["SubnetId"] for each in subnets]
        )["LoadBalancers"][0]
        groups = [self._group(name) for name in ("blue", "green")]
        (self.port,) = balancers.free_ports(1)
        listener = self.elb.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol="HTTP",
            Port=self.port,
            DefaultActions=[_forward(groups)],
        )["Listeners"][0]["ListenerArn"]
        rule = self.elb.create_rule(
            ListenerArn=listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
            Actions=[_forward(groups)],
        )["Rules"][0]["RuleArn"]
        self.host = f"{made['DNSName']}:{self.port}"
        advanced = {
            "alternateTargetGroupArn": groups[1],
            "productionListenerRule": rule,
            "roleArn": ROLE,
        }
        bound = {"targetGroupArn": groups[0], "containerName": "app", "containerPort": 80}
        self.ecs.create_cluster(clusterName=ecs_services.CLUSTER)
        self.ecs.create_service(
            cluster=ecs_services.CLUSTER,
            serviceName=FAMILY,
            taskDefinition=self._definition("first"),
            desiredCount=tasks,
            deploymentConfiguration=STRATEGIES["blue/green"],
            loadBalancers=[{**bound, "advancedConfiguration": advanced}],
        )
        self.await_deployed()

    def deploy(self, name: str, configuration: Mapping[str, Any]) -> None:
        """Begin to replace all tasks."""
        self.ecs.update_service(
            cluster=ecs_services.CLUSTER,
            service=FAMILY,
            taskDefinition=self._definition(name),
            deploymentConfiguration=configuration,
        )

    def await_deployed(self) -> None:
        """Return once the newest deployment has succeeded."""
        deadline = time.monotonic() + WITHIN
        while (status := self.status()) != "SUCCESSFUL":
            if status not in {"PENDING", "IN_PROGRESS"} or time.monotonic() > deadline:
                raise RuntimeError(f"the deployment is {status}")
            time.sleep(LOOK_EVERY)

    def status(self) -> str:
        """How the newest deployment stands."""
        listed = self.ecs.list_service_deployments(cluster=ecs_services.CLUSTER, service=FAMILY)
        return str(listed["serviceDeployments"][0]["status"])

    def _group(self, name: str) -> str:
        made = self.elb.create_target_group(
            Name=f"{FAMILY}-{name}",
            Protocol="HTTP",
            Port=80,
            VpcId=self.vpc,
            TargetType="instance",
            HealthCheckIntervalSeconds=CHECKED_EVERY,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
        )
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(DRAINED_FOR)}
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        return arn

    def _definition(self, name: str) -> str:
        serves = f"mkdir /w; echo {name} > /w/index.html; exec httpd -f -p 80 -h /w"
        container = {
            "name": "app",
            "image": ecs_services.IMAGE,
            "memory": 16,
            "command": ["sh", "-c", serves],
            "portMappings": [{"containerPort": 80}],
            "linuxParameters": {"initProcessEnabled": True},
            "versionConsistency": "disabled",
        }
        made = self.ecs.register_task_definition(family=FAMILY, containerDefinitions=[container])
        arn: str = made["taskDefinition"]["taskDefinitionArn"]
        return arn


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with servers.data_directory() as data, ecs_services.image(), ecs_services.cleared(FAMILY):
        _deploy_all(data, given.tasks, given.rate)


def _deploy_all(data: Path, tasks: int, rate: int) -> None:
    with _openecs(data) as server:
        service = Service(server, tasks)
        for name, configuration in STRATEGIES.items():
            _deploy(service, name, configuration, rate)
        _kill(data, server, service, rate)


def _deploy(service: Service, name: str, configuration: Mapping[str, Any], rate: int) -> None:
    begun = time.monotonic()
    with _requests(service, rate) as seen:
        service.deploy(name.replace("/", "-"), configuration)
        service.await_deployed()
        seconds = time.monotonic() - begun
        time.sleep(AFTERWARDS)
    _tell(name, seconds, seen)


def _kill(data: Path, server: servers.Server, service: Service, rate: int) -> None:
    """Kill the server as tasks are replaced, and go on with another."""
    begun = time.monotonic()
    with ExitStack() as again:
        with _requests(service, rate) as seen:
            service.deploy("killed", STRATEGIES["rolling"])
            time.sleep(AFTERWARDS)
            os.kill(server.pid, signal.SIGKILL)
            time.sleep(AFTERWARDS)
            service.ecs = again.enter_context(_openecs(data)).ecs()
            service.await_deployed()
            seconds = time.monotonic() - begun
            time.sleep(AFTERWARDS)
        _tell("rolling, killed on the way", seconds, seen)


def _forward(groups: list[str]) -> dict[str, Any]:
    blue, green = groups
    weighted = [{"TargetGroupArn": blue, "Weight": 100}, {"TargetGroupArn": green, "Weight": 0}]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}


def _openecs(data: Path) -> AbstractContextManager[servers.Server]:
    return servers.openecs(data, "--log-level=error", deployment_healthy_after=1)


def _requests(service: Service, rate: int) -> AbstractContextManager[Traffic]:
    return traffic(f"http://127.0.0.1:{service.port}/", host=service.host, rate=rate)


def _tell(name: str, seconds: float, seen: Traffic) -> None:
    print(
        f"{name}: {seconds:.0f} s, {seen.answered} requests answered by {len(seen.bodies)} "
        f"revisions, {len(seen.failures)} failed",
        flush=True,
    )
    for failure in seen.failures[:5]:
        print(f"  {failure.sent:.1f} s: {failure.what}", flush=True)


if __name__ == "__main__":
    main()
