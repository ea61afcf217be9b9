"""Prefix lists: Amazon EC2 API Reference, ``CreateManagedPrefixList`` and its neighbours.

Rules of security groups that name one are enforced as rules for each of its blocks, from the
moment it changes. AWS's own lists, of the addresses of its services, there are none here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, ranges, tagging
from openecs.api.ec2.describing import Listing
from openecs.decide import prefix_lists
from openecs.model.identity import Scope
from openecs.model.network import PrefixList, PrefixListEntry, SecurityGroup
from openecs.store.base import Transaction, View
from openecs.store.network import PREFIX_LISTS

#: Amazon VPC User Guide, "Quotas": entries of one list.
_MOST = 1000
_IPV4, _IPV6 = "IPv4", "IPv6"

LISTING = Listing(
    answer="PrefixLists",
    id="PrefixListId",
    ids="PrefixListIds",
    paths={
        "owner-id": "OwnerId",
        "prefix-list-id": "PrefixListId",
        "prefix-list-name": "PrefixListName",
    },
    missing=("InvalidPrefixListID.NotFound", "The prefix list ID '{}' does not exist"),
)
ENTRIES = Listing(
    answer="Entries",
    id="Cidr",
    ids="",
    paths={},
    missing=("InvalidParameterValue", "The entry {} does not exist"),
)


def create_managed_prefix_list(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateManagedPrefixList``: complete at once."""
    family = request["AddressFamily"]
    if family not in {_IPV4, _IPV6}:
        raise _invalid("AddressFamily", family)
    made = PrefixList(
        scope=call.scope,
        id=tagging.new_id(call, "pl"),
        name=_name(request["PrefixListName"]),
        address_family=family,
        max_entries=_size(request["MaxEntries"]),
        entries=tuple(_read(request.get("Entries") or (), family)),
        tags=tagging.given(request, "prefix-list"),
    )
    _put(tx, made)
    return {"PrefixList": _shown(made)}


def modify_managed_prefix_list(tx: Transaction, call: Call, request: Members) -> Members:
    """``ModifyManagedPrefixList``: other entries are a new version."""
    old = existing(tx, call.scope, request["PrefixListId"])
    new = replace(old, is_modified=True)
    if request.get("PrefixListName") is not None:
        new = replace(new, name=_name(request["PrefixListName"]))
    if request.get("AddEntries") or request.get("RemoveEntries"):
        if request.get("MaxEntries") is not None:
            text = "Entries and MaxEntries cannot be modified in one request."
            raise ServiceError("InvalidParameterCombination", text)
        new = replace(new, entries=_changed(old, request), version=old.version + 1)
    elif request.get("MaxEntries") is not None:
        new = replace(new, max_entries=_size(request["MaxEntries"]))
    _put(tx, new)
    return {"PrefixList": _shown(new)}


def delete_managed_prefix_list(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteManagedPrefixList``: ``DependencyViolation`` while a rule names it."""
    found = existing(tx, call.scope, request["PrefixListId"])
    groups = network.security_groups(tx, call.scope)
    if any(rule.prefix_list_id == found.id for group in groups for rule in group.rules):
        raise ServiceError("DependencyViolation", f"resource {found.id} has a dependent object")
    tx.delete(PREFIX_LISTS, call.scope, found.id)
    return {"PrefixList": {**_shown(found), "State": "delete-complete"}}


def describe_managed_prefix_lists(view: View, call: Call, request: Members) -> Members:
    """``DescribeManagedPrefixLists``."""
    return LISTING.describe(request, [_shown(one) for one in view.scan(PREFIX_LISTS, call.scope)])


def describe_prefix_lists(_: View, __: Call, request: Members) -> Members:
    """``DescribePrefixLists``: those of AWS's services, and so none."""
    return LISTING.describe(request, ())


def get_managed_prefix_list_entries(view: View, call: Call, request: Members) -> Members:
    """``GetManagedPrefixListEntries``: of the version there is; older ones are not kept."""
    found = existing(view, call.scope, request["PrefixListId"])
    wanted = request.get("TargetVersion")
    if wanted is not None and wanted != found.version:
        text = f"Versions of prefix lists are not kept: {found.id} has version {found.version}."
        raise ServiceError("UnsupportedOperation", text)
    shown = [{"Cidr": one.cidr, "Description": one.description} for one in found.entries]
    return ENTRIES.describe(request, shown)


def existing(view: View, scope: Scope, name: str) -> PrefixList:
    """The prefix list. Raises ``InvalidPrefixListID.NotFound``."""
    found = view.get(PREFIX_LISTS, scope, name)
    if found is None:
        raise LISTING.unknown(name)
    return found


def enforced(view: View, group: SecurityGroup) -> SecurityGroup:
    """The security group with the blocks of prefix lists in place of their names."""
    named = {rule.prefix_list_id for rule in group.rules if rule.prefix_list_id}
    found = (view.get(PREFIX_LISTS, group.scope, name) for name in named)
    return prefix_lists.resolved(group, {one.id: one for one in found if one})


def _changed(old: PrefixList, request: Members) -> tuple[PrefixListEntry, ...]:
    version = request.get("CurrentVersion")
    if version is None:
        text = "The request must contain the parameter CurrentVersion"
        raise ServiceError("MissingParameter", text)
    if version != old.version:
        text = f"The prefix list has the version {old.version}, not {version}."
        raise ServiceError("PrefixListVersionMismatch", text)
    entries = {one.cidr: one for one in old.entries}
    for one in request.get("RemoveEntries") or ():
        if entries.pop(_cidr(one["Cidr"], old.address_family), None) is None:
            raise ENTRIES.unknown(one["Cidr"])
    # What is there already gets another description.
    added = _read(request.get("AddEntries") or (), old.address_family)
    return tuple({**entries, **{one.cidr: one for one in added}}.values())


def _put(tx: Transaction, made: PrefixList) -> None:
    if len(made.entries) > made.max_entries:
        text = f"The prefix list can have at most {made.max_entries} entries."
        raise ServiceError("PrefixListMaxEntriesExceeded", text)
    network.write_down(tx, made.scope)
    tx.put(PREFIX_LISTS, made)


def _read(given: Sequence[Members], family: str) -> Iterator[PrefixListEntry]:
    there: set[str] = set()
    for one in given:
        cidr = _cidr(one["Cidr"], family)
        if cidr in there:
            raise _invalid("Entries", f"{cidr}, twice")
        there.add(cidr)
        yield PrefixListEntry(cidr=cidr, description=one.get("Description"))


def _cidr(text: str, family: str) -> str:
    if family == _IPV6:
        return ranges.read_ipv6(text)
    return str(ranges.read(text, "Cidr"))


def _name(asked: str) -> str:
    if not 1 <= len(asked) <= 255 or asked.startswith("com.amazonaws"):
        raise _invalid("PrefixListName", asked)
    return asked


def _size(asked: int) -> int:
    if not 1 <= asked <= _MOST:
        raise _invalid("MaxEntries", str(asked))
    return asked


def _invalid(parameter: str, value: str) -> ServiceError:
    text = f"Value ({value}) for parameter {parameter} is invalid."
    return ServiceError("InvalidParameterValue", text)


def _shown(one: PrefixList) -> Members:
    return {
        "PrefixListId": one.id,
        "PrefixListArn": one.scope.arn("ec2", f"prefix-list/{one.id}"),
        "PrefixListName": one.name,
        "AddressFamily": one.address_family,
        "MaxEntries": one.max_entries,
        "Version": one.version,
        "State": "modify-complete" if one.is_modified else "create-complete",
        "OwnerId": one.scope.account,
        "Tags": tagging.shown(one.tags),
    }
