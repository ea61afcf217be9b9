"""Dashboards and pictures of metrics, by the AWS CLI."""

from __future__ import annotations

import base64
import json
import struct
from datetime import UTC, datetime

import pytest

pytestmark = pytest.mark.system

WIDGET = {"metrics": [["Shop", "Orders"]], "title": "Orders", "width": 320, "height": 200}
SHOWN = {"type": "metric", "properties": {**WIDGET, "region": "us-east-1"}}
BODY = json.dumps({"widgets": [SHOWN]})


def test_a_dashboard_and_its_widget_as_a_picture(quick_server):
    aws = quick_server.aws
    where = ("--dashboard-name", "shop")
    aws("cloudwatch", "put-dashboard", *where, "--dashboard-body", BODY)
    assert aws("cloudwatch", "get-dashboard", *where)["DashboardBody"] == BODY
    data = [{"MetricName": "Orders", "Timestamp": datetime.now(UTC), "Value": 5.0}]
    quick_server.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data)
    widget = ("--metric-widget", json.dumps(WIDGET))
    told = aws("cloudwatch", "get-metric-widget-image", *widget)["MetricWidgetImage"]
    picture = base64.b64decode(told)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (320, 200)
    aws("cloudwatch", "delete-dashboards", "--dashboard-names", "shop")
    assert aws("cloudwatch", "list-dashboards")["DashboardEntries"] == []
