"""AWS Identity and Access Management: so far, its server certificates.

https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
"""

from openecs.api.base import Service
from openecs.api.iam import server_certificate_tags, server_certificates

SERVICE = Service(
    name="iam",
    operations={**server_certificates.OPERATIONS, **server_certificate_tags.OPERATIONS},
)
