"""Alarms of a real server: they fail deployments, tell a webhook, and survive kill -9."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from openecs_server import OpenEcs, eventually

CPU = {
    "MetricName": "CPUUtilization",
    "Namespace": "Test",
    "Statistic": "Average",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 70.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
TOPIC = "arn:aws:sns:us-east-1:000000000000:alerts"


@contextmanager
def webhook():
    """A URL, and the bodies that were posted to it."""
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", got
        server.shutdown()
        thread.join()


def state(cloudwatch, name: str) -> str:
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def metric(id_: str, name: str) -> dict:
    asked = {"Metric": {"Namespace": "Math", "MetricName": name}, "Period": 60, "Stat": "Sum"}
    return {"Id": id_, "MetricStat": asked, "ReturnData": False}


@pytest.mark.system
def test_metric_math_is_told_and_raises_an_alarm(quick_server):
    cloudwatch = quick_server.client("cloudwatch")
    now = datetime.now(UTC)
    data = [
        {"MetricName": name, "Timestamp": now - timedelta(minutes=minutes), "Value": value}
        for minutes in (2, 3)
        for name, value in (("Errors", 3.0), ("Requests", 4.0))
    ]
    cloudwatch.put_metric_data(Namespace="Math", MetricData=data)
    percent = {"Id": "percent", "Expression": "100 * errors / requests", "ReturnData": True}
    queries = [metric("errors", "Errors"), metric("requests", "Requests"), percent]
    (told,) = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(minutes=10), EndTime=now
    )["MetricDataResults"]
    assert told["Values"] == [75.0, 75.0]
    cloudwatch.put_metric_alarm(
        AlarmName="math",
        Metrics=queries,
        EvaluationPeriods=2,
        Threshold=50.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    eventually(lambda: state(cloudwatch, "math") == "ALARM")


@pytest.mark.system
def test_an_alarm_rolls_a_deployment_back(services, quick_server):
    cloudwatch = quick_server.client("cloudwatch")
    name = f"errors-{services.cluster}"
    cloudwatch.put_metric_alarm(AlarmName=name, **CPU)
    first, second = services.define("web"), services.define("web")
    services.started("web", first)
    alarms = {"alarmNames": [name], "enable": True, "rollback": True}
    services.update("web", taskDefinition=second, deploymentConfiguration={"alarms": alarms})

    def record() -> dict:
        listed = services.ecs.list_service_deployments(cluster=services.cluster, service="web")
        newest = listed["serviceDeployments"][0]["serviceDeploymentArn"]
        found = services.ecs.describe_service_deployments(serviceDeploymentArns=[newest])
        return found["serviceDeployments"][0]

    eventually(lambda: record()["alarms"]["status"] == "MONITORING")
    services.running_of("web", 1)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    services.said("web", "deployment failed: alarm detected.")
    done = eventually(lambda: (r := record())["status"] == "ROLLBACK_SUCCESSFUL" and r)
    assert done["alarms"] == {
        "status": "TRIGGERED",
        "alarmNames": [name],
        "triggeredAlarmNames": [name],
    }
    assert done["statusReason"] == "Service deployment rolled back because an alarm was detected."
    assert services.stable("web")["taskDefinition"].endswith(first)


@pytest.mark.system
@pytest.mark.timeout(150)
def test_alarms_tell_the_webhook_and_survive_a_crash(tmp_path):
    with webhook() as (url, got):
        server = OpenEcs(tmp_path / "data", OPENECS_ALARM_WEBHOOK_URL=url)
        try:
            server.start()
            cloudwatch = server.client("cloudwatch")
            cloudwatch.put_metric_alarm(
                AlarmName="silence", AlarmActions=[TOPIC], TreatMissingData="breaching", **CPU
            )
            eventually(lambda: state(cloudwatch, "silence") == "ALARM")
            eventually(lambda: len(got) >= 2)
            event = next(body for body in got if "detail" in body)
            assert event["detail-type"] == "CloudWatch Alarm State Change"
            assert event["detail"]["state"]["value"] == "ALARM"
            assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
            notification = next(body for body in got if "TopicArn" in body)
            assert json.loads(notification["Message"])["NewStateValue"] == "ALARM"
            cloudwatch.set_alarm_state(AlarmName="silence", StateValue="OK", StateReason="so")
            server.kill()
            server.start()
            cloudwatch = server.client("cloudwatch")
            eventually(lambda: state(cloudwatch, "silence") == "ALARM", 75)
            items = cloudwatch.describe_alarm_history(AlarmName="silence")["AlarmHistoryItems"]
            told = [item["HistorySummary"] for item in items]
            assert told.count("Alarm updated from OK to ALARM") == 1
            assert f"Successfully executed action {TOPIC}" in told
        finally:
            server.clean()


@pytest.mark.system
def test_the_command_line(quick_server):
    def cloudwatch(*arguments: str) -> dict:
        return quick_server.aws("cloudwatch", *arguments)

    cloudwatch(
        "put-metric-alarm",
        *("--alarm-name", "by-hand", "--namespace", "Test", "--metric-name", "Errors"),
        *("--statistic", "Sum", "--period", "60", "--evaluation-periods", "1"),
        *("--threshold", "1", "--comparison-operator", "GreaterThanThreshold"),
        *("--treat-missing-data", "notBreaching"),
    )
    cloudwatch("wait", "alarm-exists", "--alarm-names", "by-hand")
    rule = 'ALARM("by-hand") OR FALSE'
    cloudwatch("put-composite-alarm", "--alarm-name", "over-it", "--alarm-rule", rule)
    types = ("--alarm-types", "CompositeAlarm", "MetricAlarm")

    def states() -> set[str]:
        shown = cloudwatch("describe-alarms", "--alarm-names", "by-hand", "over-it", *types)
        return {one["StateValue"] for each in shown.values() for one in each}

    eventually(lambda: states() == {"OK"})
    told = ("--state-value", "ALARM", "--state-reason", "a drill")

    def rings() -> bool:
        # It is judged each minute, and OK then.
        cloudwatch("set-alarm-state", "--alarm-name", "by-hand", *told)
        return states() == {"ALARM"}

    eventually(rings)
    history = cloudwatch("describe-alarm-history", "--alarm-name", "over-it", *types)
    summaries = [item["HistorySummary"] for item in history["AlarmHistoryItems"]]
    assert "Alarm updated from OK to ALARM" in summaries
    cloudwatch("delete-alarms", "--alarm-names", "by-hand", "over-it")
