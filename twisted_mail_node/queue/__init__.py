"""The room that runs the queue: when an item is tried, how its outcome is recorded, and what its sender is told."""
