"""Availability zones and regions: each region has three zones, all of them this installation."""

from __future__ import annotations

import re

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.ec2 import errors
from openecs.decide.default_network import ZONES
from openecs.store.base import View

_DIRECTION = re.compile("north|south|east|west|central|gov")


def describe_availability_zones(_: View, call: Call, request: Members) -> Members:
    """The zones of the region."""
    zones = [f"{call.scope.region}{letter}" for letter in ZONES]
    named = request.get("ZoneNames") or ()
    for name in named:
        if name not in zones:
            raise errors.invalid_value(f"Invalid availability zone: [{name}]")
    shown = [_zone(call, name) for name in zones]
    wanted = [zone for zone in shown if not named or zone["ZoneName"] in named]
    return {"AvailabilityZones": [z for z in wanted if _matches(z, request)]}


def describe_regions(_: View, call: Call, request: Members) -> Members:
    """The region that is asked: any name is one here."""
    names = request.get("RegionNames") or (call.scope.region,)
    return {
        "Regions": [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "opt-in-not-required",
            }
            for name in names
        ]
    }


def zone_id(zone: str) -> str:
    """The id of a zone: ``use1-az1`` of ``us-east-1a``, ``apse2-az3`` of ``ap-southeast-2c``."""
    region, letter = zone[:-1], zone[-1]
    area, _, rest = region.partition("-")
    short = _DIRECTION.sub(lambda found: found[0][0], rest).replace("-", "")
    return f"{area}{short}-az{ZONES.index(letter) + 1}"


OPERATIONS: dict[str, Operation] = {
    "DescribeAvailabilityZones": Reads(describe_availability_zones),
    "DescribeRegions": Reads(describe_regions),
}


def _zone(call: Call, name: str) -> Members:
    region = call.scope.region
    return {
        "State": "available",
        "OptInStatus": "opt-in-not-required",
        "Messages": [],
        "RegionName": region,
        "ZoneName": name,
        "ZoneId": zone_id(name),
        "GroupName": region,
        "NetworkBorderGroup": region,
        "ZoneType": "availability-zone",
    }


#: What zones are found by.
_FILTERS = {
    "group-name": "GroupName",
    "opt-in-status": "OptInStatus",
    "region-name": "RegionName",
    "state": "State",
    "zone-id": "ZoneId",
    "zone-name": "ZoneName",
    "zone-type": "ZoneType",
}


def _matches(zone: Members, request: Members) -> bool:
    for each in request.get("Filters") or ():
        member = _FILTERS.get(each["Name"])
        if member is None:
            raise errors.invalid_value(f"The filter '{each['Name']}' is invalid")
        if zone[member] not in each["Values"]:
            return False
    return True
