"""The AWS operations: a package per service, each operation one function over one transaction.

``base`` holds what all share. Nothing here talks to an engine or waits for a controller.
"""
