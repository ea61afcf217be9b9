"""OpenECS: Amazon ECS without the lock-in, on machines of your own."""

__version__ = "0.1.0"
