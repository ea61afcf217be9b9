"""Builders, hypothesis strategies, contract suites and fakes that tests share."""
