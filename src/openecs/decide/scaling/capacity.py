"""The capacity that one policy computes from one value of its metric.

Application Auto Scaling User Guide, "How target tracking scaling works" and "How step scaling
works".
"""

from __future__ import annotations

import math

from openecs.model.scaling import AdjustmentType, Step, StepScaling


def tracked(current: int, value: float, target: float) -> int:
    """The fewest that bring the metric to its target, where they share what it measures."""
    # What division leaves in the last binary digits is no task.
    return math.ceil(round(current * value / target, 9))


def stepped(policy: StepScaling, current: int, value: float, threshold: float) -> int | None:
    """The capacity after the step a value falls into; None where there is none."""
    step = _step(policy, value - threshold)
    if step is None:
        return None
    match policy.adjustment_type:
        case AdjustmentType.EXACT:
            return step.adjustment
        case AdjustmentType.CHANGE:
            return max(current + step.adjustment, 0)
        case AdjustmentType.PERCENT:
            delta = _percent(current, step.adjustment, policy.minimum_magnitude or 0)
            return max(current + delta, 0)


def _step(policy: StepScaling, beyond: float) -> Step | None:
    return next((step for step in policy.steps if _holds(step, beyond)), None)


def _holds(step: Step, beyond: float) -> bool:
    lower = -math.inf if step.lower is None else step.lower
    upper = math.inf if step.upper is None else step.upper
    return lower <= beyond < upper if beyond >= 0 else lower < beyond <= upper


def _percent(current: int, percent: int, least: int) -> int:
    """Toward zero, but by one at least, and by ``least``; nothing where nothing is asked."""
    exact = current * percent / 100
    if exact == 0 and not (percent and least):
        return 0
    size = max(math.floor(abs(exact)), 1, least)
    return size if percent > 0 else -size
