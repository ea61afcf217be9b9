"""Where a task can run: what a machine has left, and who may have it."""
