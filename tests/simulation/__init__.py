"""A clock that jumps, and an SQS and an ECS that live by it: hours of a watcher's life in milliseconds."""
