"""Amazon CloudWatch: metrics, alarms and dashboards.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html
"""

from openecs.api.base import Service
from openecs.api.cloudwatch import (
    alarm_access,
    alarm_history,
    alarm_states,
    alarm_tags,
    alarms,
    composite_alarms,
    dashboards,
    described_alarms,
    metric_answers,
    metric_data,
    metric_reads,
    widget_images,
)

SERVICE = Service(
    name="cloudwatch",
    operations={
        **alarm_history.OPERATIONS,
        **alarm_states.OPERATIONS,
        **alarm_tags.OPERATIONS,
        **alarms.OPERATIONS,
        **composite_alarms.OPERATIONS,
        **dashboards.OPERATIONS,
        **described_alarms.OPERATIONS,
        **metric_answers.OPERATIONS,
        **metric_data.OPERATIONS,
        **metric_reads.OPERATIONS,
        **widget_images.OPERATIONS,
    },
    access={
        **alarm_access.ACCESS,
        **dashboards.ACCESS,
        **metric_reads.ACCESS,
        **widget_images.ACCESS,
    },
)
