"""Queries of CloudWatch Logs Insights: read, and put as SQL.

CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax".
"""

from openecs.decide.insights.compiler import compiled
from openecs.decide.insights.problem import QueryProblem

__all__ = ["QueryProblem", "compiled"]
