"""A load balancer in front of the services of a test."""

from __future__ import annotations

import http.client
from collections import Counter

from openecs_server import eventually, free_port
from services import Services

#: Answers with its own name, and ends at once on SIGTERM.
SAYS_ITS_NAME = {
    "command": ["sh", "-c", "mkdir /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w"],
    "linuxParameters": {"initProcessEnabled": True},
    "memory": 16,
    "portMappings": [{"containerPort": 80}],
}
#: Everything fails there.
SAYS_NO = SAYS_ITS_NAME | {"command": ["sh", "-c", "mkdir /w; exec httpd -f -p 80 -h /w"]}


class Balanced:
    """A load balancer with a listener on a port of its own, and its target group."""

    def __init__(self, services: Services, *, delay: int = 1) -> None:
        self.services = services
        self.elb = services.server.client("elbv2")
        self.port = free_port()
        self.name = services.cluster[:28]
        self.balancer = self._balancer()
        self.arn = self.balancer["LoadBalancerArn"]
        self.group = self._group(self.name, delay)
        self.listener = self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTP",
            Port=self.port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )["Listeners"][0]["ListenerArn"]

    @property
    def host(self) -> str:
        return f"{self.balancer['DNSName']}:{self.port}"

    def serve(self, count: int = 2, definition: str | None = None, **members) -> dict:
        """The service ``s`` behind the load balancer, stable."""
        definition = definition or self.services.define("f", SAYS_ITS_NAME)
        return self.services.started("s", definition, count, loadBalancers=self.binding, **members)

    @property
    def binding(self) -> list[dict]:
        return [{"targetGroupArn": self.group, "containerName": "app", "containerPort": 80}]

    def get(self, path: str = "/") -> tuple[int, str]:
        """What a request to the load balancer's name is answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": self.host})
            answer = connection.getresponse()
            return answer.status, answer.read().decode().strip()
        finally:
            connection.close()

    def answers(self, count: int = 40) -> Counter[str]:
        """Who answered so many requests."""
        return Counter(body for status, body in (self.get() for _ in range(count)) if status == 200)

    def health(self) -> dict[str, str]:
        """The state of each target, by its id and port."""
        found = self.elb.describe_target_health(TargetGroupArn=self.group)
        return {
            f"{each['Target']['Id']}:{each['Target']['Port']}": each["TargetHealth"]["State"]
            for each in found["TargetHealthDescriptions"]
        }

    def close(self) -> None:
        """The load balancer and its target group are gone."""
        self.services.clear()
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        self.elb.delete_target_group(TargetGroupArn=self.group)

    def _balancer(self) -> dict:
        found = self.services.server.client("elbv2")
        subnets = [s["SubnetId"] for s in self._subnets()[:2]]
        made = found.create_load_balancer(Name=self.name, Subnets=subnets)["LoadBalancers"][0]
        return made

    def _subnets(self) -> list[dict]:
        ec2 = self.services.server.client("ec2")
        filters = [{"Name": "default-for-az", "Values": ["true"]}]
        return ec2.describe_subnets(Filters=filters)["Subnets"]

    def _group(self, name: str, delay: int) -> str:
        vpc = self.balancer["VpcId"]
        made = self.elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId=vpc,
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(
            TargetGroupArn=made,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}],
        )
        return made

    def active(self) -> None:
        """Wait until the load balancer carries traffic."""

        def look() -> bool:
            found = self.elb.describe_load_balancers(LoadBalancerArns=[self.arn])
            return found["LoadBalancers"][0]["State"]["Code"] == "active"

        eventually(look, within=20)
