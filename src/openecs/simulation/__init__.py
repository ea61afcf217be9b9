"""Scaling policies tried in virtual time, by the very code that scales services."""
