"""An app of many services of one kind, in a process that bench.synth times; prints what each of them came to.

Each kind imports what it needs by itself, since that takes time, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct
from jsii._kernel.providers.process import _NodeProcess

_IN_A_STACK = 10


class Calls:
    """Counts the calls of CDK's process from now on."""

    def __init__(self) -> None:
        self.count = 0
        send = _NodeProcess.send

        def counted(process: _NodeProcess, *arguments: Any) -> Any:
            self.count += 1
            return send(process, *arguments)

        _NodeProcess.send = counted  # type: ignore[method-assign,assignment] # to count what goes through it


_Add = Callable[[Construct, str, ecs.ICluster, ecs.ContainerImage], None]


def peer() -> _Add:
    """Give CDK's own service of a queue, with a topic before it and four alarms, as a service of ours has."""
    from aws_cdk import aws_cloudwatch, aws_ecs_patterns, aws_sns, aws_sns_subscriptions

    def add(scope: Construct, name: str, cluster: ecs.ICluster, image: ecs.ContainerImage) -> None:
        service = aws_ecs_patterns.QueueProcessingFargateService(scope, name, cluster=cluster, image=image)
        topic = aws_sns.Topic(scope, f"{name}Topic")
        queue, letters = service.sqs_queue, service.dead_letter_queue
        topic.add_subscription(aws_sns_subscriptions.SqsSubscription(queue))
        assert letters is not None
        watched = (
            queue.metric_approximate_number_of_messages_visible(),
            queue.metric_approximate_age_of_oldest_message(),
            queue.metric_number_of_messages_sent(),
            letters.metric_approximate_number_of_messages_visible(),
        )
        for number, metric in enumerate(watched):
            aws_cloudwatch.Alarm(scope, f"{name}Alarm{number}", metric=metric, threshold=1, evaluation_periods=1)

    return add


def task() -> _Add:
    from watchbot_cdk import Watchbot

    def add(scope: Construct, name: str, cluster: ecs.ICluster, image: ecs.ContainerImage) -> None:
        Watchbot(scope, name, cluster=cluster, image=image)

    return add


def process() -> _Add:
    from watchbot_cdk import Isolation, Watchbot

    def add(scope: Construct, name: str, cluster: ecs.ICluster, image: ecs.ContainerImage) -> None:
        Watchbot(scope, name, cluster=cluster, image=image, isolation=Isolation.PROCESS, command=["work"])

    return add


KINDS: dict[str, Callable[[], _Add]] = {"peer": peer, "task": task, "process": process}


def main(kind: str, services: int, folder: str) -> None:
    app, image, calls = App(outdir=folder), ecs.ContainerImage.from_registry("public.ecr.aws/x/worker"), Calls()
    add, made = KINDS[kind](), 0
    for first in range(0, services, _IN_A_STACK):
        stack = Stack(app, f"Stack{first}")
        cluster = ecs.Cluster(stack, "Cluster", vpc=ec2.Vpc(stack, "Vpc"))
        before = calls.count
        for number in range(first, min(first + _IN_A_STACK, services)):
            add(stack, f"service{number}", cluster, image)
        made += calls.count - before
    assembly = app.synth()
    print(json.dumps({"calls": made / services, "resources": _resources_of_one(assembly, kind)}))


def _resources_of_one(assembly: Any, kind: str) -> int:
    """Count the resources of the first service: a topic and alarms of the peer have its name, too."""
    resources = assembly.get_stack_by_name("Stack0").template["Resources"]
    return sum(1 for name in resources if name.startswith("service0"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
