"""Amazon CloudWatch Logs.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html
"""

from openecs.api.base import Service
from openecs.api.logs import (
    access,
    event_reads,
    events,
    groups,
    insights,
    live_tail,
    metric_filters,
    query_definitions,
    streams,
    subscription_filters,
    tags,
)

SERVICE = Service(
    name="logs",
    operations={
        **groups.OPERATIONS,
        **streams.OPERATIONS,
        **events.OPERATIONS,
        **event_reads.OPERATIONS,
        **query_definitions.OPERATIONS,
        **insights.OPERATIONS,
        **live_tail.OPERATIONS,
        **tags.OPERATIONS,
        **metric_filters.OPERATIONS,
        **subscription_filters.OPERATIONS,
    },
    access=access.ACCESS,
)
