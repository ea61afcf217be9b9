"""AddTags, RemoveTags, DescribeTags. Elastic Load Balancing API Reference, version 2015-12-01."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import errors, references, tag_rules
from openecs.model.identity import parse_arn
from openecs.store.base import Kind, Transaction, View
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS, TRUST_STORES

_MOST = 20


def add_tags(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags to resources, in place of those of the same key."""
    for arn in request["ResourceArns"]:
        kind, resource = _found(tx, call, arn)
        tags = tag_rules.parse(request["Tags"], resource.tags)
        tx.put(kind, replace(resource, tags=tags))
    return {}


def remove_tags(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove the tags of some keys from resources."""
    for arn in request["ResourceArns"]:
        kind, resource = _found(tx, call, arn)
        kept = {k: v for k, v in resource.tags.items() if k not in request["TagKeys"]}
        tx.put(kind, replace(resource, tags=kept))
    return {}


def describe_tags(view: View, call: Call, request: Members) -> Members:
    """The tags of some resources."""
    arns = request["ResourceArns"]
    if len(arns) > _MOST:
        raise errors.validation(f"The number of resources cannot exceed '{_MOST}'")
    return {
        "TagDescriptions": [
            {"ResourceArn": arn, "Tags": tag_rules.show(_found(view, call, arn)[1].tags)}
            for arn in arns
        ]
    }


OPERATIONS: dict[str, Operation] = {
    "AddTags": Writes(add_tags),
    "RemoveTags": Writes(remove_tags),
    "DescribeTags": Reads(describe_tags),
}


def _found(view: View, call: Call, arn: str) -> tuple[Kind[Any], Any]:
    parsed = parse_arn(arn)
    match parsed.resource.partition("/")[0] if parsed else "":
        case "loadbalancer":
            return LOAD_BALANCERS, references.load_balancer(view, call, arn)
        case "listener":
            return LISTENERS, references.listener(view, call, arn)
        case "listener-rule":
            return RULES, references.rule(view, call, arn)
        case "targetgroup":
            return TARGET_GROUPS, references.target_group(view, call, arn)
        case "truststore":
            return TRUST_STORES, references.trust_store(view, call, arn)
        case _:
            raise errors.validation(f"'{arn}' is not a valid resource ARN")
