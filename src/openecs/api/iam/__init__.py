"""AWS Identity and Access Management: who there is, and what they may.

https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
"""

from openecs.api.base import Operation, Service
from openecs.api.iam import (
    access_keys,
    account,
    attachments,
    inline_policies,
    instance_profiles,
    policies,
    roles,
    server_certificates,
    service_linked_roles,
    users,
)
from openecs.api.iam.access import access

_OPERATIONS: dict[str, Operation] = {
    **users.OPERATIONS,
    **access_keys.OPERATIONS,
    **roles.OPERATIONS,
    **service_linked_roles.OPERATIONS,
    **instance_profiles.OPERATIONS,
    **policies.OPERATIONS,
    **inline_policies.OPERATIONS,
    **attachments.OPERATIONS,
    **account.OPERATIONS,
    **server_certificates.OPERATIONS,
}
SERVICE = Service(name="iam", operations=_OPERATIONS, access=access(_OPERATIONS))
