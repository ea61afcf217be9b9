"""Filter patterns: which log events are meant, and what is taken out of them.

CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, filter
log events, and Live Tail". ``read`` makes a pattern of a text.
"""

from openecs.decide.filter_patterns.pattern import Pattern, read
from openecs.decide.filter_patterns.values import PatternProblem

__all__ = ["Pattern", "PatternProblem", "read"]
