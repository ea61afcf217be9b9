"""Regions, their availability zones, and what an account may have in them."""

from __future__ import annotations

import re

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import filters, network
from openecs.decide.default_network import ZONES
from openecs.store.base import View

#: Those that need no opting in: AWS Account Management Reference Guide, "Region availability".
REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
)
_REGION_PATHS = {
    "endpoint": "Endpoint",
    "opt-in-status": "OptInStatus",
    "region-name": "RegionName",
}
_ZONE_PATHS = {
    "group-name": "GroupName",
    "message": "Messages.Message",
    "network-border-group": "NetworkBorderGroup",
    "opt-in-status": "OptInStatus",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}


def describe_regions(_: View, call: Call, request: Members) -> Members:
    """``DescribeRegions``: those open to every account, and the one that is asked."""
    names = sorted({*REGIONS, call.scope.region})
    shown = [_region(name) for name in names]
    wanted = request.get("RegionNames") or names
    for name in wanted:
        if name not in names:
            text = f"The specified region does not exist: '{name}'"
            raise ServiceError("InvalidParameterValue", text)
    kept = filters.keep(shown, request.get("Filters") or (), _REGION_PATHS)
    return {"Regions": [one for one in kept if one["RegionName"] in wanted]}


def describe_availability_zones(_: View, call: Call, request: Members) -> Members:
    """``DescribeAvailabilityZones``: three in every region."""
    shown = [_zone(call.scope.region, letter) for letter in ZONES]
    for member, key in (("ZoneNames", "ZoneName"), ("ZoneIds", "ZoneId")):
        wanted = request.get(member) or [one[key] for one in shown]
        for name in wanted:
            if name not in [_zone(call.scope.region, letter)[key] for letter in ZONES]:
                raise ServiceError("InvalidParameterValue", f"Invalid availability zone: [{name}]")
        shown = [one for one in shown if one[key] in wanted]
    return {"AvailabilityZones": filters.keep(shown, request.get("Filters") or (), _ZONE_PATHS)}


def describe_account_attributes(view: View, call: Call, request: Members) -> Members:
    """``DescribeAccountAttributes``: the platform and the default VPC; no others are kept."""
    default = next((one.id for one in network.vpcs(view, call.scope) if one.is_default), "none")
    values = {"supported-platforms": "VPC", "default-vpc": default}
    wanted = request.get("AttributeNames") or list(values)
    return {
        "AccountAttributes": [
            {"AttributeName": name, "AttributeValues": [{"AttributeValue": value}]}
            for name, value in values.items()
            if name in wanted
        ]
    }


def chosen(region: str, request: Members) -> str:
    """The zone a request names by name or id, or the first. Raises ``InvalidParameterValue``."""
    names = [f"{region}{letter}" for letter in ZONES]
    wanted = request.get("AvailabilityZone") or request.get("AvailabilityZoneId") or names[0]
    for name in names:
        if wanted in (name, zone_id(name)):
            return name
    text = (
        f"Value ({wanted}) for parameter availabilityZone is invalid. "
        f"Subnets can currently only be created in the following availability zones: "
        f"{', '.join(names)}."
    )
    raise ServiceError("InvalidParameterValue", text)


def zone_id(zone: str) -> str:
    """``us-east-1a`` is ``use1-az1``, ``ap-southeast-2b`` is ``apse2-az2``."""
    region, letter = zone[:-1], zone[-1]
    first, *middle, number = region.split("-")
    words = "".join(re.sub(r"(north|south)(east|west)", r"\1 \2", one) + " " for one in middle)
    short = "".join(word[0] for word in words.split())
    return f"{first}{short}{number}-az{ZONES.index(letter) + 1}"


def _region(name: str) -> Members:
    return {
        "RegionName": name,
        "Endpoint": f"ec2.{name}.amazonaws.com",
        "OptInStatus": "opt-in-not-required",
    }


def _zone(region: str, letter: str) -> Members:
    return {
        "ZoneName": f"{region}{letter}",
        "ZoneId": zone_id(f"{region}{letter}"),
        "ZoneType": "availability-zone",
        "RegionName": region,
        "GroupName": region,
        "NetworkBorderGroup": region,
        "OptInStatus": "opt-in-not-required",
        "State": "available",
        "Messages": [],
    }
