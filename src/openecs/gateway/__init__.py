"""The life of a request: which service is meant, parse, authenticate, dispatch, serialise.
No business rules.
"""
