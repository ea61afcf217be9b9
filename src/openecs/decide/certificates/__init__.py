"""Certificates: what they say, whether they can be used, when they are renewed."""
