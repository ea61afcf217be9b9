"""AWS Security Token Service: who is calling, and temporary credentials.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""

from openecs.api.base import Service
from openecs.api.sts import callers, roles

SERVICE = Service(
    name="sts",
    operations={**callers.OPERATIONS, **roles.OPERATIONS},
    access={**callers.ACCESS, **roles.ACCESS},
    has_resource_policies=True,
)
