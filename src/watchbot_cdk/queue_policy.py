"""How many may send: what fits into the policy of a queue."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_sqs as sqs

_MOST_STATEMENTS = 20


def full_policy_problems(queue: sqs.Queue) -> Iterable[str]:
    """Say that the queue's policy takes no statement for another sender.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
    """
    policy = queue.node.try_find_child("Policy")
    if isinstance(policy, sqs.QueuePolicy) and policy.document.statement_count >= _MOST_STATEMENTS:
        yield (
            f"the policy of the queue has {_MOST_STATEMENTS} statements, the most that SQS takes, and needs one for "
            "each topic and rule; let one rule match more events, or send through a topic"
        )
