"""``GET /metrics`` as Prometheus asks for it."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway_door import ROOT, Keys, client_of, gateway_of, served
from openecs.api import cloudwatch, ecs, iam
from openecs.gateway.app import SelfGuarded
from openecs.gateway.credentials import StoredCredentials
from openecs.gateway.scraping import Scraping
from openecs.store.memory import MemoryStore
from openecs.store.memory_metrics import MemoryMetricStore

READS = {"Effect": "Allow", "Action": "cloudwatch:GetMetricData", "Resource": "*"}


@pytest.fixture
def door():
    store, metrics = MemoryStore(), MemoryMetricStore()
    scraping = Scraping(
        store=store,
        metrics=metrics,
        credentials=StoredCredentials(Keys(ROOT), store),
        clock=lambda: datetime.now(UTC),
    )
    services = (cloudwatch.SERVICE, ecs.SERVICE, iam.SERVICE)
    special = {("GET", "/metrics"): SelfGuarded(scraping)}
    with served(gateway_of(*services, store=store, metrics=metrics, special=special)) as url:
        yield url


def scrape(door: str, user: str, password: str) -> tuple[int, str]:
    given = b64encode(f"{user}:{password}".encode()).decode()
    status, _, body = asked(door, {"Authorization": f"Basic {given}"})
    return status, body


def asked(door: str, headers: dict[str, str]) -> tuple[int, HTTPMessage, str]:
    connection = http.client.HTTPConnection(door.removeprefix("http://"))
    with closing(connection):
        connection.request("GET", "/metrics", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def a_key(door: str, *statements: dict) -> tuple[str, str]:
    client = client_of(door, "iam")
    client.create_user(UserName="prometheus")
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        client.put_user_policy(UserName="prometheus", PolicyName="p", PolicyDocument=document)
    key = client.create_access_key(UserName="prometheus")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_the_newest_minute_is_told(door):
    client_of(door, "ecs").create_cluster()
    now = datetime.now(UTC)
    told = [(now - timedelta(minutes=minutes), value) for minutes, value in ((2, 7.0), (1, 9.0))]
    client_of(door, "cloudwatch").put_metric_data(
        Namespace="Shop",
        MetricData=[{"MetricName": "Orders", "Timestamp": at, "Value": v} for at, v in told],
    )
    status, text = scrape(door, *a_key(door, READS))
    assert status == 200
    found = {
        sample.name: (sample.value, sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    labels = {"account_id": ROOT.account, "region": "eu-central-1"}
    assert found["shop_orders_sum"] == (9.0, labels)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic ?"},
        {"Authorization": "Basic " + b64encode(b"nobody").decode()},
    ],
)
def test_strangers_hear_what_is_needed(door, headers):
    status, told, _ = asked(door, headers)
    assert status == 401
    assert told["WWW-Authenticate"].startswith("Basic ")


def test_a_wrong_secret_or_a_key_that_rests_opens_nothing(door):
    key, secret = a_key(door, READS)
    for user, password in ((key, "wrong"), ("AKIANOBODY", secret), (key, "")):
        assert scrape(door, user, password)[0] == 401
    client_of(door, "iam").update_access_key(
        UserName="prometheus", AccessKeyId=key, Status="Inactive"
    )
    assert scrape(door, key, secret)[0] == 401


def test_who_may_not_read_metrics_may_not_scrape_them(door):
    status, why = scrape(door, *a_key(door))
    assert status == 403
    assert "cloudwatch:GetMetricData" in why
