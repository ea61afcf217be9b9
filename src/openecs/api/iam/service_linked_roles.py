"""Roles that belong to services of AWS's.

IAM User Guide, "Create a service-linked role", "AWS services that work with IAM".
"""

from __future__ import annotations

import json

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import entities, errors, names
from openecs.model.iam import Role
from openecs.store.base import Transaction, View
from openecs.store.iam import ROLES, iam_scope, name_key

NAMES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "ecs.application-autoscaling.amazonaws.com": (
        "AWSServiceRoleForApplicationAutoScaling_ECSService"
    ),
    "ecs-compute.amazonaws.com": "AWSServiceRoleForECSCompute",
    "elasticloadbalancing.amazonaws.com": "AWSServiceRoleForElasticLoadBalancing",
    "replication.ecr.amazonaws.com": "AWSServiceRoleForECRReplication",
}


def create_service_linked_role(tx: Transaction, call: Call, request: Members) -> Members:
    """Make the role of a service of AWS's."""
    service, suffix = request["AWSServiceName"], request.get("CustomSuffix")
    name = NAMES.get(service)
    if name is None:
        raise errors.invalid_input(f"{service} has no service-linked role that is known here.")
    name = f"{name}_{suffix}" if suffix else name
    scope = iam_scope(call.scope.account)
    if tx.get(ROLES, scope, name_key(name)) is not None:
        raise errors.invalid_input(
            f"Service role name {name} has been taken in this account, please try a different "
            "suffix."
        )
    made = Role(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.ROLE),
        path=f"/aws-service-role/{service}/",
        created_at=call.now,
        trust=_trust_of(service),
        description=request.get("Description"),
        service=service,
    )
    tx.put(ROLES, made)
    return {"Role": entities.show_role(made)}


def delete_service_linked_role(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete the role of a service; done at once, since nothing here needs it."""
    found: Role = entities.ROLE.asked_for(tx, call, request)
    if found.service is None:
        raise errors.invalid_input(f"The role {found.name} is not a service-linked role.")
    tx.delete(ROLES, found.scope, name_key(found.name))
    return {"DeletionTaskId": f"task{found.path}{found.name}/{call.ids.uuid()}"}


def get_service_linked_role_deletion_status(view: View, call: Call, request: Members) -> Members:
    """Whether the role is gone."""
    parts = request["DeletionTaskId"].split("/")
    if len(parts) != 5 or parts[:2] != ["task", "aws-service-role"]:
        raise errors.missing(f"Deletion task {request['DeletionTaskId']} cannot be found.")
    there = view.get(ROLES, iam_scope(call.scope.account), name_key(parts[3]))
    return {"Status": "SUCCEEDED" if there is None else "FAILED"}


def _trust_of(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


OPERATIONS: dict[str, Operation] = {
    "CreateServiceLinkedRole": Writes(create_service_linked_role),
    "DeleteServiceLinkedRole": Writes(delete_service_linked_role),
    "GetServiceLinkedRoleDeletionStatus": Reads(get_service_linked_role_deletion_status),
}
