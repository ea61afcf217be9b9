"""Application Auto Scaling: the desired count of ECS services follows metrics and the clock.

https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from openecs.api.application_autoscaling import activities, policies, schedules, tags, targets
from openecs.api.base import Service

SERVICE = Service(
    name="application-autoscaling",
    operations={
        **activities.OPERATIONS,
        **policies.OPERATIONS,
        **schedules.OPERATIONS,
        **tags.OPERATIONS,
        **targets.OPERATIONS,
    },
)
