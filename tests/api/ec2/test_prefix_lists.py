"""Prefix lists over the wire."""

from __future__ import annotations

import pytest

BLOCKS = ("192.0.2.0/24", "198.51.100.0/24")


@pytest.fixture
def name(ec2):
    return ec2.create_managed_prefix_list(
        PrefixListName="offices",
        AddressFamily="IPv4",
        MaxEntries=2,
        Entries=[{"Cidr": BLOCKS[0], "Description": "Here"}],
        TagSpecifications=[
            {"ResourceType": "prefix-list", "Tags": [{"Key": "team", "Value": "a"}]}
        ],
    )["PrefixList"]["PrefixListId"]


def entries(ec2, name, **more):
    found = ec2.get_managed_prefix_list_entries(PrefixListId=name, **more)["Entries"]
    return {one["Cidr"]: one.get("Description") for one in found}


@pytest.mark.covers(
    "ec2:CreateManagedPrefixList",
    "ec2:DescribeManagedPrefixLists",
    "ec2:GetManagedPrefixListEntries",
    "ec2:ModifyManagedPrefixList",
)
def test_entries_have_versions(ec2, name, refused):
    (found,) = ec2.describe_managed_prefix_lists(PrefixListIds=[name])["PrefixLists"]
    assert (found["State"], found["Version"]) == ("create-complete", 1)
    assert found["Tags"] == [{"Key": "team", "Value": "a"}]
    assert entries(ec2, name) == {BLOCKS[0]: "Here"}
    change = {"PrefixListId": name, "AddEntries": [{"Cidr": "198.51.100.7/24"}]}
    late = refused(ec2.modify_managed_prefix_list, CurrentVersion=2, **change)
    assert late[0] == "PrefixListVersionMismatch"
    changed = ec2.modify_managed_prefix_list(CurrentVersion=1, **change)["PrefixList"]
    assert (changed["State"], changed["Version"]) == ("modify-complete", 2)
    assert entries(ec2, name, TargetVersion=2) == {BLOCKS[0]: "Here", BLOCKS[1]: None}
    old = refused(ec2.get_managed_prefix_list_entries, PrefixListId=name, TargetVersion=1)
    assert old[0] == "UnsupportedOperation"
    more = [{"Cidr": "203.0.113.0/24"}]
    full = refused(
        ec2.modify_managed_prefix_list, PrefixListId=name, CurrentVersion=2, AddEntries=more
    )
    assert full[0] == "PrefixListMaxEntriesExceeded"
    gone = [{"Cidr": BLOCKS[0]}]
    ec2.modify_managed_prefix_list(PrefixListId=name, CurrentVersion=2, RemoveEntries=gone)
    assert entries(ec2, name) == {BLOCKS[1]: None}
    renamed = ec2.modify_managed_prefix_list(PrefixListId=name, PrefixListName="o", MaxEntries=1)
    assert (renamed["PrefixList"]["PrefixListName"], renamed["PrefixList"]["Version"]) == ("o", 3)


@pytest.mark.covers("ec2:DeleteManagedPrefixList", "ec2:DescribePrefixLists")
def test_a_list_that_a_rule_names_stays(ec2, name, vpc, refused):
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    source = [{"PrefixListId": name, "Description": "offices"}]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "PrefixListIds": source}
    (rule,) = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])[
        "SecurityGroupRules"
    ]
    assert rule["PrefixListId"] == name
    (shown,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert shown["IpPermissions"][0]["PrefixListIds"] == source
    used = refused(ec2.delete_managed_prefix_list, PrefixListId=name)
    assert used[0] == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission])
    deleted = ec2.delete_managed_prefix_list(PrefixListId=name)["PrefixList"]
    assert deleted["State"] == "delete-complete"
    text = f"The prefix list ID '{name}' does not exist"
    for asked in (
        refused(ec2.describe_managed_prefix_lists, PrefixListIds=[name]),
        refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission]),
    ):
        assert asked == ("InvalidPrefixListID.NotFound", text)
    assert ec2.describe_prefix_lists()["PrefixLists"] == []


@pytest.mark.parametrize(
    "members",
    [
        {"AddressFamily": "IPv5"},
        {"MaxEntries": 1001},
        {"PrefixListName": "com.amazonaws.mine"},
        {"Entries": [{"Cidr": "here"}]},
        {"Entries": [{"Cidr": BLOCKS[0]}, {"Cidr": BLOCKS[0]}]},
    ],
)
def test_bad_lists_are_refused(ec2, refused, members):
    asked = {"PrefixListName": "p", "AddressFamily": "IPv4", "MaxEntries": 2, **members}
    assert refused(ec2.create_managed_prefix_list, **asked)[0] == "InvalidParameterValue"
