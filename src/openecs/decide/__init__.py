"""The pure verbs: state in, plan out. No async, no logging, no clock, no chance, no exceptions for
expected outcomes. Every module is property-tested.
"""
