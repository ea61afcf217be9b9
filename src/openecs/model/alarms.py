"""Alarms: conditions on metrics that are judged by the clock.

CloudWatch User Guide, "Using Amazon CloudWatch alarms"; API_MetricAlarm, API_CompositeAlarm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openecs.model.identity import Scope
from openecs.model.metrics import Dimensions

SERVICE = "cloudwatch"


class AlarmState(StrEnum):
    """What an alarm says."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Comparison(StrEnum):
    """How a datapoint breaches the threshold."""

    GREATER_OR_EQUAL = "GreaterThanOrEqualToThreshold"
    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"
    LESS_OR_EQUAL = "LessThanOrEqualToThreshold"


class MissingData(StrEnum):
    """What a period without data counts as."""

    MISSING = "missing"
    NOT_BREACHING = "notBreaching"
    BREACHING = "breaching"
    IGNORE = "ignore"


class Suppression(StrEnum):
    """What holds back the actions of a composite alarm."""

    WAIT_PERIOD = "WaitPeriod"
    EXTENSION_PERIOD = "ExtensionPeriod"
    ALARM = "Alarm"


class AlarmType(StrEnum):
    """What an alarm goes by."""

    METRIC = "MetricAlarm"
    COMPOSITE = "CompositeAlarm"


class HistoryType(StrEnum):
    """What an item of an alarm's history tells."""

    CONFIGURATION = "ConfigurationUpdate"
    STATE = "StateUpdate"
    ACTION = "Action"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStat:
    """A statistic (``Average``, ``p99.9``, ``TM(10%:90%)``) of a metric, each ``period`` seconds.

    ``unit`` None: of datapoints of any unit.
    """

    namespace: str
    name: str
    dimensions: Dimensions = ()
    period: int
    stat: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDataQuery:
    """A time series asked for: a statistic of a metric, or an expression over others by ``id``."""

    id: str
    stat: MetricStat | None = None
    expression: str | None = None
    label: str | None = None
    return_data: bool = True
    #: Seconds; of an expression that names no metric.
    period: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmActions:
    """ARNs of what is done when an alarm comes to a state; nothing where not ``enabled``."""

    enabled: bool = True
    ok: tuple[str, ...] = ()
    alarm: tuple[str, ...] = ()
    insufficient_data: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricAlarm:
    """An alarm on one metric (``metric``) or on metric math (``queries``), never both."""

    scope: Scope
    name: str
    description: str | None = None
    actions: AlarmActions = AlarmActions()
    metric: MetricStat | None = None
    queries: tuple[MetricDataQuery, ...] = ()
    comparison: Comparison
    threshold: float
    evaluation_periods: int
    #: M of "M out of N"; None: as many as ``evaluation_periods``.
    datapoints_to_alarm: int | None = None
    #: None: ``missing``, and not told.
    missing_data: MissingData | None = None
    #: ``evaluate`` or ``ignore``, of percentiles of few samples.
    low_samples: str | None = None
    configured_at: datetime
    state: AlarmState = AlarmState.INSUFFICIENT_DATA
    reason: str = "Unchecked: Initial alarm creation"
    #: JSON.
    reason_data: str | None = None
    #: When the state was last written, and when it last became another.
    updated_at: datetime
    transitioned_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:cloudwatch:R:A:alarm:NAME``."""
        return self.scope.arn(SERVICE, f"alarm:{self.name}")

    @property
    def period(self) -> int:
        """Seconds from one datapoint to the next."""
        if self.metric is not None:
            return self.metric.period
        periods = (each.stat.period if each.stat else each.period for each in self.queries)
        return max((each for each in periods if each), default=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeAlarm:
    """An alarm on the states of others."""

    scope: Scope
    name: str
    description: str | None = None
    actions: AlarmActions = AlarmActions()
    rule: str
    #: The name or ARN of the alarm that holds back the actions while it is in ALARM, and the
    #: seconds that actions wait for it to get there, and wait after it has left.
    suppressor: str | None = None
    wait_period: int | None = None
    extension_period: int | None = None
    configured_at: datetime
    state: AlarmState = AlarmState.INSUFFICIENT_DATA
    reason: str = "Unchecked: Initial alarm creation"
    #: JSON.
    reason_data: str | None = None
    updated_at: datetime
    transitioned_at: datetime
    #: The state whose actions were done last, or were not to be done.
    acted_on: AlarmState = AlarmState.INSUFFICIENT_DATA
    #: When the suppressor was last seen to leave ALARM, and whether it is there.
    suppressor_left_at: datetime | None = None
    is_suppressor_in_alarm: bool = False
    suppressed_by: Suppression | None = None
    suppressed_reason: str | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:cloudwatch:R:A:alarm:NAME``."""
        return self.scope.arn(SERVICE, f"alarm:{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """Something that happened to an alarm. ``data`` is JSON; ``id`` tells items of a time apart."""

    scope: Scope
    alarm: str
    alarm_type: AlarmType
    id: str
    at: datetime
    type: HistoryType
    summary: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAction:
    """An action of an alarm that is to be done: to ``action``, an ARN, goes ``body``, JSON."""

    scope: Scope
    alarm: str
    alarm_type: AlarmType
    id: str
    at: datetime
    action: str
    body: str
    attempts: int = 0
    #: When it is tried next.
    due_at: datetime
