"""CloudWatch's metric math: expressions over time series.

CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""
