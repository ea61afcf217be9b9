"""GetMetricWidgetImage over the wire: pictures that show what GetMetricData tells."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import cloudwatch as service

mpl = pytest.importorskip("matplotlib.image")
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
HITS = {"metrics": [["Shop", "Hits", "Page", "a", {"color": "#ff0000"}]], "period": 60}


@pytest.fixture(scope="module")
def cloudwatch():
    with served(gateway_of(service.SERVICE)) as url:
        client = client_of(url, "cloudwatch")
        for page in ("a", "b"):
            data = [
                {
                    "MetricName": "Hits",
                    "Dimensions": [{"Name": "Page", "Value": page}],
                    "Timestamp": NOW - timedelta(minutes=minute),
                    "Value": float(minute),
                }
                for minute in range(60)
            ]
            client.put_metric_data(Namespace="Shop", MetricData=data)
        yield client


def image(client, widget):
    answer = client.get_metric_widget_image(MetricWidget=json.dumps(widget))
    return mpl.imread(BytesIO(answer["MetricWidgetImage"]), format="png")


def reds(picture) -> int:
    return int(((picture[..., 0] > 0.8) & (picture[..., 1] < 0.3)).sum())


@pytest.mark.covers("cloudwatch:GetMetricWidgetImage")
def test_a_picture_of_a_metric(cloudwatch):
    picture = image(cloudwatch, HITS | {"title": "Hits $ of_$ shop", "width": 500, "height": 250})
    assert picture.shape[:2] == (250, 500)
    other = HITS | {"metrics": [["Shop", "None", {"color": "#ff0000"}]]}
    legend_only = image(cloudwatch, other | {"width": 500, "height": 250})
    assert reds(picture) > reds(legend_only) + 100


def test_a_picture_with_everything(cloudwatch):
    widget = {
        "metrics": [
            ["Shop", "Hits", "Page", "a", {"id": "a", "label": "_first"}],
            ["...", "b", {"yAxis": "right", "stat": "Maximum"}],
            [".", ".", ".", "b", {"id": "b", "visible": False}],
            [{"expression": "a + b", "label": "both", "id": "c"}],
        ],
        "stacked": True,
        "theme": "dark",
        "start": "-PT1H",
        "end": "P0D",
        "timezone": "+0130",
        "legend": {"position": "right"},
        "yAxis": {"left": {"min": 0, "max": 200, "label": "hits"}},
        "annotations": {
            "horizontal": [{"value": 150, "label": "much", "color": "#ff0000"}],
            "vertical": [{"value": (NOW - timedelta(minutes=30)).isoformat(), "label": "then"}],
        },
    }
    picture = image(cloudwatch, widget)
    assert picture.shape[:2] == (400, 600)
    assert picture[0, 0, 0] < 0.1
    assert reds(picture) > 100


def test_a_picture_too_small_for_its_axes(cloudwatch):
    assert image(cloudwatch, HITS | {"width": 1, "height": 1}).shape[:2] == (1, 1)


@pytest.mark.parametrize(
    ("widget", "said"),
    [
        ({}, "missing required field `metrics`"),
        (HITS | {"width": 2001}, "width"),
        (HITS | {"view": "pie"}, "does not build images of the view pie"),
        (HITS | {"region": "eu-west-7"}, "other regions"),
        (HITS | {"start": "yesterday"}, "start: 'yesterday' is not"),
        (HITS | {"stat": "Mean"}, "The value Mean for parameter Stat is not supported"),
        (HITS | {"period": 7}, "Period"),
    ],
)
def test_what_cannot_be_drawn_is_refused(cloudwatch, widget, said):
    with pytest.raises(ClientError, match=said):
        image(cloudwatch, widget)
