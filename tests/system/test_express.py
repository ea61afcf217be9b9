"""Express Mode: one call, a URL that answers, an update nobody notices, and nothing left."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from openecs_server import OpenEcs, containers_of, eventually

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ROLE = "arn:aws:iam::000000000000:role/ecsInfrastructure"
#: The door of port 443 is this test's own here.
DOOR = "127.83.41.9"


@pytest.fixture
def server(tmp_path):
    """A server with a door of its own."""
    openecs = OpenEcs(
        tmp_path / "data", OPENECS_DEPLOYMENT_HEALTHY_AFTER="1", OPENECS_ELB_BIND_ADDRESS=DOOR
    )
    openecs.start()
    yield openecs
    openecs.clean()


def says(word: str) -> dict:
    """A container that answers with a word, and ends at once on SIGTERM."""
    script = (
        f"echo {word} is served; mkdir /w; echo {word} > /w/index.html; touch /w/ping; "
        "httpd -f -p 80 -h /w & "
        "trap 'kill $!' TERM; wait"
    )
    return {"image": "busybox", "command": ["sh", "-c", script]}


class Url:
    """``https://HOST/``, asked for at the door as a client does that trusts ``openecs ca``."""

    def __init__(self, server: OpenEcs, host: str) -> None:
        self.host = host
        self.ca = server.data_dir / "ca.pem"
        command = [sys.executable, "-m", "openecs", "ca"]
        self.ca.write_bytes(subprocess.check_output(command, env=server.environment))
        self.context = ssl.create_default_context(cafile=str(self.ca))
        self.answers: set[str] = set()

    def get(self) -> str | None:
        """The answer; None: there is none."""
        found = self.ask()
        return found if isinstance(found, str) else None

    def ask(self) -> str | int | OSError:
        """The answer; the status of a refusal; why there is neither."""
        connection = http.client.HTTPSConnection(self.host, context=self.context, timeout=10)
        try:
            plain = socket.create_connection((DOOR, 443), timeout=10)
            connection.sock = self.context.wrap_socket(plain, server_hostname=self.host)
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read().decode().strip()
        except OSError as error:
            return error
        finally:
            connection.close()
        return body if answer.status == 200 else answer.status

    def curl(self) -> str:
        """What curl prints."""
        command = ["curl", "-sS", "--cacert", self.ca, "--resolve", f"{self.host}:443:{DOOR}"]
        return subprocess.check_output([*command, f"https://{self.host}/"], text=True).strip()

    @contextmanager
    def asked(self):
        """One request after another, each on a connection of its own."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(0.02):
                self.answers.add(str(self.ask()))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield self.answers
        finally:
            stop.set()
            thread.join()


def a_listener_that_was_there_first(server: OpenEcs) -> None:
    """Another load balancer has the door of port 443: what names nobody else is for it."""
    elb, ec2 = server.client("elbv2"), server.client("ec2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
    made = elb.create_load_balancer(Name="mine", Subnets=subnets)["LoadBalancers"][0]
    certificate = server.client("acm").request_certificate(DomainName="mine.test")
    elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate["CertificateArn"]}],
        DefaultActions=[
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}},
        ],
    )


def quickly(server: OpenEcs, name: str) -> None:
    """Deployments and drains that do not wait for what is not to be seen here."""
    server.client("ecs").update_service(
        service=name,
        deploymentConfiguration={
            "strategy": "CANARY",
            "canaryConfiguration": {"canaryPercent": 50.0, "canaryBakeTimeInMinutes": 0},
            "bakeTimeInMinutes": 0,
        },
    )
    elb = server.client("elbv2")
    for group in elb.describe_target_groups()["TargetGroups"]:
        elb.modify_target_group(
            TargetGroupArn=group["TargetGroupArn"],
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
        )
        elb.modify_target_group_attributes(
            TargetGroupArn=group["TargetGroupArn"],
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "2"}],
        )


def logged(server: OpenEcs, service: dict) -> list[str]:
    """What the containers of an Express service have said, in the log group made for it."""
    told = service["activeConfigurations"][0]["primaryContainer"]["awsLogsConfiguration"]
    found = server.client("logs").filter_log_events(logGroupName=told["logGroup"])
    return [event["message"] for event in found["events"]]


def endpoint(service: dict) -> str:
    return service["activeConfigurations"][0]["ingressPaths"][0]["endpoint"]


@pytest.mark.covers(
    "ecs:CreateExpressGatewayService",
    "ecs:DescribeExpressGatewayService",
    "ecs:UpdateExpressGatewayService",
    "ecs:DeleteExpressGatewayService",
)
def test_an_express_service_from_its_first_answer_to_its_last(server):
    ecs = server.client("ecs")
    a_listener_that_was_there_first(server)
    before = left(server)
    service = ecs.create_express_gateway_service(
        serviceName="web",
        executionRoleArn=ROLE,
        infrastructureRoleArn=ROLE,
        primaryContainer=says("hello"),
    )["service"]
    arn, url = service["serviceArn"], Url(server, endpoint(service))
    quickly(server, "web")
    eventually(lambda: url.get() == "hello")
    assert url.curl() == "hello"
    eventually(lambda: logged(server, service) == ["hello is served"])
    other = ecs.create_express_gateway_service(
        serviceName="other",
        executionRoleArn=ROLE,
        infrastructureRoleArn=ROLE,
        primaryContainer=says("other"),
    )["service"]
    quickly(server, "other")
    eventually(lambda: Url(server, endpoint(other)).get() == "other")
    eventually(lambda: "SUCCESSFUL" in statuses(ecs))

    with url.asked() as answers:
        updated = ecs.update_express_gateway_service(
            serviceArn=arn, primaryContainer=says("welcome")
        )["service"]
        assert updated["targetConfiguration"]["primaryContainer"]["command"][2].count("welcome")
        eventually(lambda: len(current(ecs, arn)["activeConfigurations"]) == 1, within=120)
        eventually(lambda: "welcome" in answers)
    assert answers == {"hello", "welcome"}

    ecs.update_express_gateway_service(serviceArn=arn, scalingTarget={"minTaskCount": 2})
    eventually(lambda: ecs.describe_services(services=["web"])["services"][0]["runningCount"] == 2)
    tasks = ecs.list_tasks(serviceName="web")["taskArns"]
    gone = ecs.delete_express_gateway_service(serviceArn=arn)["service"]
    assert gone["status"]["statusCode"] == "DRAINING"
    eventually(lambda: current(ecs, arn)["status"]["statusCode"] == "INACTIVE")
    eventually(lambda: url.get() is None)
    eventually(lambda: not [c for task in tasks for c in containers_of(task)])
    assert Url(server, endpoint(other)).get() == "other"
    ecs.delete_express_gateway_service(serviceArn=other["serviceArn"])
    server.kill()
    server.start()
    eventually(lambda: left(server) == before)


@pytest.mark.covers("ecs:DescribeExpressGatewayService", "ecs:UpdateExpressGatewayService")
def test_what_cannot_be_is_told_and_gone_back_from(server):
    ecs = server.client("ecs")
    with socket.create_server((DOOR, 443)):
        service = ecs.create_express_gateway_service(
            serviceName="web",
            executionRoleArn=ROLE,
            infrastructureRoleArn=ROLE,
            primaryContainer=says("hello"),
        )["service"]
        arn, url = service["serviceArn"], Url(server, endpoint(service))
        quickly(server, "web")
        reason = eventually(lambda: current(ecs, arn)["status"].get("statusReason"))
        assert "443" in reason
    eventually(lambda: url.get() == "hello")
    eventually(lambda: "statusReason" not in current(ecs, arn)["status"])
    eventually(lambda: "SUCCESSFUL" in statuses(ecs))

    with url.asked() as answers:
        ecs.update_express_gateway_service(
            serviceArn=arn, primaryContainer={"image": "busybox", "command": ["/nowhere"]}
        )
        eventually(lambda: "ROLLBACK_SUCCESSFUL" in statuses(ecs), within=120)
        eventually(lambda: len(current(ecs, arn)["activeConfigurations"]) == 1)
    assert answers == {"hello"}
    (configuration,) = current(ecs, arn)["activeConfigurations"]
    assert configuration["taskDefinitionArn"].endswith(":1")


def statuses(ecs) -> list[str]:
    """Of the deployments of the service ``web``."""
    listed = ecs.list_service_deployments(service="web")["serviceDeployments"]
    return [each["status"] for each in listed]


def current(ecs, arn: str) -> dict:
    return ecs.describe_express_gateway_service(serviceArn=arn)["service"]


def left(server: OpenEcs) -> list[str]:
    """The names of everything that an Express service could have left."""
    elb, acm = server.client("elbv2"), server.client("acm")
    groups = server.client("ec2").describe_security_groups()["SecurityGroups"]
    return [
        *(each["LoadBalancerName"] for each in elb.describe_load_balancers()["LoadBalancers"]),
        *(each["TargetGroupName"] for each in elb.describe_target_groups()["TargetGroups"]),
        *(each["DomainName"] for each in acm.list_certificates()["CertificateSummaryList"]),
        *(each["GroupName"] for each in groups),
    ]
