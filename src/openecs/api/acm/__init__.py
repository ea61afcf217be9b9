"""AWS Certificate Manager: certificates for HTTPS and TLS listeners, imported or issued here.

https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
"""

from openecs.api.acm import access, account, certificates, imports, requests, tags
from openecs.api.base import Service

SERVICE = Service(
    name="acm",
    operations={
        **account.OPERATIONS,
        **certificates.OPERATIONS,
        **imports.OPERATIONS,
        **requests.OPERATIONS,
        **tags.OPERATIONS,
    },
    access=access.ACCESS,
)
