"""The example of a service behind a load balancer: it serves, changes without drift, and goes."""

from __future__ import annotations

import http.client
import shutil
from pathlib import Path

from openecs_server import eventually, free_port
from services import Services
from test_services_terraform import Stack
from test_terraform import pytestmark, terraform

__all__ = ["pytestmark"]

EXAMPLE = Path(__file__).parents[2] / "examples/terraform/alb-service"


def test_a_service_behind_a_load_balancer(services: Services, tmp_path: Path):
    for path in EXAMPLE.glob("*.tf"):
        shutil.copy(path, tmp_path)
    stack, port = Stack(services.server, tmp_path), free_port()
    given = {"endpoint": services.server.url, "port": port}
    stack.apply(**given, greeting="hello")
    url = terraform(services.server, tmp_path, "output", "-raw", "url")
    host = url.removeprefix("http://").rstrip("/")

    def get(path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers={"Host": host})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    eventually(lambda: get("/").startswith("hello"))
    assert get("/about") == "An answer of the load balancer's own."
    stack.apply(**given, greeting="goodbye")
    eventually(lambda: {get("/").partition(",")[0] for _ in range(8)} == {"goodbye"})
    values = [f"-var={name}={value}" for name, value in given.items()]
    stack("destroy", "-auto-approve", *values)
    elb = services.server.client("elbv2")
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert elb.describe_target_groups()["TargetGroups"] == []
