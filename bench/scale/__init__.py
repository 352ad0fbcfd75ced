"""A thousand tasks at once: watchers on an ECS and an SQS that refuse what AWS refuses."""
