"""Dashboards over the wire."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import cloudwatch as service

WIDGET = {
    "type": "metric",
    "x": 0,
    "y": 0,
    "width": 12,
    "height": 6,
    "properties": {"metrics": [["Shop", "Hits"]], "region": "us-east-1", "period": 60},
}


@pytest.fixture
def cloudwatch():
    with served(gateway_of(service.SERVICE)) as url:
        yield client_of(url, "cloudwatch")


def body(**changes) -> str:
    return json.dumps({"widgets": [WIDGET | changes]})


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    return caught.value.response


@pytest.mark.covers("cloudwatch:PutDashboard", "cloudwatch:GetDashboard")
def test_a_dashboard_is_told_as_it_was_put(cloudwatch):
    put = cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=body())
    assert not put.get("DashboardValidationMessages")
    told = cloudwatch.get_dashboard(DashboardName="shop")
    assert told["DashboardBody"] == body()
    arn = told["DashboardArn"]
    assert arn.startswith("arn:aws:cloudwatch::")
    assert arn.endswith(":dashboard/shop")
    cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=body(width=24))
    assert cloudwatch.get_dashboard(DashboardName="shop")["DashboardBody"] == body(width=24)


@pytest.mark.covers("cloudwatch:ListDashboards", "cloudwatch:DeleteDashboards")
def test_dashboards_are_listed_by_prefix_and_removed(cloudwatch):
    for name in ("shop-a", "shop-b", "other"):
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body())
    entries = cloudwatch.list_dashboards(DashboardNamePrefix="shop-")["DashboardEntries"]
    assert [entry["DashboardName"] for entry in entries] == ["shop-a", "shop-b"]
    assert entries[0]["Size"] == len(body())
    assert entries[0]["LastModified"]
    error = refused(cloudwatch.delete_dashboards, DashboardNames=["shop-a", "none"])["Error"]
    assert (error["Code"], error["Message"]) == (
        "ResourceNotFound",
        "Dashboard none does not exist",
    )
    cloudwatch.delete_dashboards(DashboardNames=["shop-a", "shop-b"])
    left = cloudwatch.list_dashboards()["DashboardEntries"]
    assert [entry["DashboardName"] for entry in left] == ["other"]


def test_a_dashboard_that_is_not_there(cloudwatch):
    answer = refused(cloudwatch.get_dashboard, DashboardName="none")
    assert answer["Error"]["Code"] == "ResourceNotFound"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_dashboards_are_in_every_region():
    with served(gateway_of(service.SERVICE)) as url:
        here, there = (client_of(url, "cloudwatch", region=r) for r in ("us-east-1", "eu-west-1"))
        here.put_dashboard(DashboardName="shop", DashboardBody=body())
        assert there.get_dashboard(DashboardName="shop")["DashboardBody"] == body()


def test_a_wrong_body_is_told_widget_by_widget(cloudwatch):
    wrong = json.dumps({"widgets": [WIDGET | {"type": "metrics"}, {"type": "text"}]})
    answer = refused(cloudwatch.put_dashboard, DashboardName="shop", DashboardBody=wrong)
    assert answer["Error"]["Code"] == "InvalidParameterInput"
    assert "there are 2 validation errors" in answer["Error"]["Message"]
    assert answer["dashboardValidationMessages"] == [
        {"DataPath": "/widgets/0/type", "Message": "Should be equal to one of the allowed values"},
        {"DataPath": "/widgets/1", "Message": "Should have required property 'properties'"},
    ]
    answer = refused(cloudwatch.put_dashboard, DashboardName="shop", DashboardBody="{")
    assert answer["Error"]["Message"] == "The field DashboardBody must be a valid JSON object"


def test_a_wrong_name(cloudwatch):
    error = refused(cloudwatch.put_dashboard, DashboardName="a b", DashboardBody=body())["Error"]
    assert error["Code"] == "InvalidParameterInput"
    assert "can only contain alphanumerics, dash (-) and underscore (_)" in error["Message"]


def test_tags_of_a_dashboard(cloudwatch):
    tags = [{"Key": "team", "Value": "a"}]
    cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=body(), Tags=tags)
    arn = cloudwatch.get_dashboard(DashboardName="shop")["DashboardArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "tier", "Value": "1"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    told = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert told == [{"Key": "tier", "Value": "1"}]
