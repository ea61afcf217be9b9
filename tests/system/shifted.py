"""A load balancer whose traffic deployments shift between two target groups."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from balanced import Balanced
from openecs_server import eventually, free_port
from services import Services

ROLE = "arn:aws:iam::000000000000:role/ecsInfrastructure"


def says(word: str) -> dict:
    """A container that answers with a word, and ends at once on SIGTERM."""
    return {
        "command": [
            "sh",
            "-c",
            f"mkdir /w; echo {word} > /w/index.html; exec httpd -f -p 80 -h /w",
        ],
        "linuxParameters": {"initProcessEnabled": True},
        "memory": 16,
        "portMappings": [{"containerPort": 80}],
    }


class Shifted(Balanced):
    """With a production rule, a test listener on a port of its own, and an alternate group."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.alternate = self._group(f"{self.name}-b", delay=1)
        self.rule = self.elb.create_rule(
            ListenerArn=self.listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
            Actions=[self._forward((self.group, 100), (self.alternate, 0))],
        )["Rules"][0]["RuleArn"]
        self.test_port = free_port()
        listener = self.elb.create_listener(
            LoadBalancerArn=self.arn,
            Protocol="HTTP",
            Port=self.test_port,
            DefaultActions=[self._forward((self.group, 100), (self.alternate, 0))],
        )["Listeners"][0]["ListenerArn"]
        found = self.elb.describe_rules(ListenerArn=listener)["Rules"]
        self.test_rule = found[0]["RuleArn"]

    @property
    def binding(self) -> list[dict]:
        advanced = {
            "alternateTargetGroupArn": self.alternate,
            "productionListenerRule": self.rule,
            "testListenerRule": self.test_rule,
            "roleArn": ROLE,
        }
        return [super().binding[0] | {"advancedConfiguration": advanced}]

    def weights(self, rule: str | None = None) -> dict[str, int]:
        """What the production rule forwards to: ``a`` the target group, ``b`` its alternate."""
        found = self.elb.describe_rules(RuleArns=[rule or self.rule])["Rules"][0]["Actions"][0]
        names = {self.group: "a", self.alternate: "b"}
        groups = found["ForwardConfig"]["TargetGroups"]
        return {names[each["TargetGroupArn"]]: each["Weight"] for each in groups}

    def shift(self, first: int, alternate: int) -> None:
        """Have the production rule forward so by hand."""
        action = self._forward((self.group, first), (self.alternate, alternate))
        self.elb.modify_rule(RuleArn=self.rule, Actions=[action])

    def deployment(self) -> dict:
        """The newest service deployment."""
        ecs, cluster = self.services.ecs, self.services.cluster
        listed = ecs.list_service_deployments(cluster=cluster, service="s")["serviceDeployments"]
        arn = listed[0]["serviceDeploymentArn"]
        found = ecs.describe_service_deployments(serviceDeploymentArns=[arn])
        return found["serviceDeployments"][0]

    def ended(self, status: str = "SUCCESSFUL", within: float = 60.0) -> dict:
        """The newest service deployment once it has that status."""

        def look() -> dict | None:
            found = self.deployment()
            return found if found["status"] == status else None

        return eventually(look, within)

    def paused(self, within: float = 60.0) -> str:
        """The id of the hook the deployment pauses at."""

        def look() -> str | None:
            hooks = self.deployment().get("lifecycleHookDetails", [])
            waiting = [h["hookId"] for h in hooks if h["status"] == "AWAITING_ACTION"]
            return waiting[0] if waiting else None

        return eventually(look, within)

    def proceed(self, **members) -> None:
        """Have the deployment go on from its pause."""
        arn, hook = self.deployment()["serviceDeploymentArn"], self.paused()
        self.services.ecs.continue_service_deployment(
            serviceDeploymentArn=arn, hookId=hook, **members
        )

    def tested(self, count: int = 10) -> Counter[str]:
        """Who answers at the test listener."""
        port, self.port = self.port, self.test_port
        try:
            return self.answers(count)
        finally:
            self.port = port

    def close(self) -> None:
        super().close()
        self.elb.delete_target_group(TargetGroupArn=self.alternate)

    def _forward(self, *groups: tuple[str, int]) -> dict:
        weighted = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}


class Functions:
    """Lambda functions, as far as a hook can tell: each call is answered with the next answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[dict] = []
        self.calls: list[tuple[str, dict]] = []


@contextmanager
def functions() -> Iterator[Functions]:
    """Answer Lambda's Invoke API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Invoke)
    served = server.functions = Functions(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Invoke(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        served: Functions = self.server.functions
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = self.path.split("/")
        served.calls.append((unquote(parts[3]), json.loads(body)))
        answer = json.dumps(served.answers.pop(0)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args) -> None:
        pass
