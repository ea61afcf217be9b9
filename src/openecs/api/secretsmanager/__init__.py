"""AWS Secrets Manager: secrets, their versions, and who may read them.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
"""

from openecs.api.base import Service
from openecs.api.secretsmanager import (
    access,
    listing,
    passwords,
    policies,
    secrets,
    values,
    versions,
)

SERVICE = Service(
    name="secretsmanager",
    operations={
        **listing.OPERATIONS,
        **passwords.OPERATIONS,
        **policies.OPERATIONS,
        **secrets.OPERATIONS,
        **values.OPERATIONS,
        **versions.OPERATIONS,
    },
    access=access.ACCESS,
    has_resource_policies=True,
)
