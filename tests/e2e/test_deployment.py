"""A deployed service: every message published to the topic runs in a container of its own, and the table holds."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from tests.e2e.deployment import Deployment
from tests.e2e.ecs_host import ADDRESS, EcsHost
from tests.e2e.services import BASE_IMAGE
from watchbot.contract import WATCHER_CONTAINER, WORKER_CONTAINER, Event, Outcome
from watchbot.journal import Entry, parse_line
from watchbot_cli.local.emulator import SERVICES, Emulator

ROOT = Path(__file__).parents[2]
_DEPLOYED = ("ec2", "ecr", "ecs", "iam", "monitoring", "ssm", "sts")
"""What the CDK's command line and a service as a whole take beyond what runs on a developer's machine."""

NAME = "com.amazonaws.ecs.container-name"


class Service:
    """The deployed service as its operator sees it."""

    def __init__(self, deployment: Deployment, client: docker.DockerClient) -> None:
        self.deployment = deployment
        self.description = deployment.description()
        self.sqs = deployment.emulator.client("sqs")
        self.ecs = deployment.emulator.client("ecs")
        self._sns = deployment.emulator.client("sns")
        self._docker = client

    def publish(self, message: str) -> None:
        self._sns.publish(TopicArn=self.description.topic_arn, Message=message)

    def send(self, message: str) -> None:
        """Send straight to the queue, which takes four times what a topic does."""
        self.sqs.send_message(QueueUrl=self.description.queue_url, MessageBody=message)

    def containers(self, name: str, *, everyone: bool = True) -> list[Container]:
        found: list[Container] = self._docker.containers.list(all=everyone, filters={"label": f"{NAME}={name}"})
        return found

    def entries(self) -> list[Entry]:
        lines = [line for one in self.containers(WATCHER_CONTAINER) for line in one.logs().decode().splitlines()]
        return [entry for line in lines if (entry := parse_line(line)) is not None]

    def finished(self) -> list[Entry]:
        return [entry for entry in self.entries() if entry.event == Event.JOB_FINISHED]

    def outcomes(self) -> list[str]:
        return [entry.fields["outcome"] for entry in self.finished()]

    def runs(self) -> Counter[str]:
        """How many tasks each message has had, by what it says."""
        cluster = self.description.cluster
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for page in self.ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=status)
            for arn in page["taskArns"]
        ]
        tasks = [task for arn in arns for task in self.ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]]
        overrides = [each for task in tasks for each in task["overrides"].get("containerOverrides", [])]
        return Counter(one["value"] for each in overrides for one in each["environment"] if one["name"] == "Message")

    def waiting(self) -> tuple[int, int]:
        """How many messages are visible, and how many are in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.description.queue_url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def payloads(self) -> list[str]:
        """What lies in buckets, the CDK's own aside."""
        s3 = self.deployment.emulator.client("s3")
        buckets = [one["Name"] for one in s3.list_buckets()["Buckets"] if not one["Name"].startswith("cdk-")]
        return [each["Key"] for name in buckets for each in s3.list_objects_v2(Bucket=name).get("Contents", [])]

    def stop_tasks(self) -> None:
        """Stop what still runs: the services of the embedded AWS do not know the watchers that were started here."""
        cluster = self.description.cluster
        for arn in self.ecs.list_tasks(cluster=cluster)["taskArns"]:
            self.ecs.stop_task(cluster=cluster, task=arn)

    def left(self) -> dict[str, object]:
        """What there is of what the stack created."""
        client = self.deployment.emulator.client
        stacks = client("cloudformation").describe_stacks()["Stacks"]
        return {
            "queues": self.sqs.list_queues().get("QueueUrls", []),
            "topics": self._sns.list_topics()["Topics"],
            "subscriptions": self._sns.list_subscriptions()["Subscriptions"],
            "log groups": client("logs").describe_log_groups()["logGroups"],
            "buckets": [one for one in client("s3").list_buckets()["Buckets"] if not one["Name"].startswith("cdk-")],
            "clusters": self.ecs.list_clusters()["clusterArns"],
            "roles": [one for one in client("iam").list_roles()["Roles"] if one["RoleName"].startswith("Deployed")],
            "stacks": [one["StackName"] for one in stacks if one["StackName"] != "CDKToolkit"],
            "containers": self.containers(WATCHER_CONTAINER, everyone=False)
            + self.containers(WORKER_CONTAINER, everyone=False),
        }

    def until(self, condition: Callable[[], object], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "\n".join(entry.line for entry in self.entries())
            time.sleep(0.2)

    def forget_containers(self) -> None:
        """Remove what earlier tests have left, so that the next one sees its own."""
        for one in self.containers(WORKER_CONTAINER):
            one.remove(force=True)

    def start_watcher(self) -> None:
        """Start one as the ECS service does when a task of its has ended."""
        described = self.ecs.describe_services(
            cluster=self.description.cluster, services=[self.description.ecs_service]
        )
        (found,) = described["services"]
        self.ecs.run_task(
            cluster=self.description.cluster, taskDefinition=found["taskDefinition"], launchType="FARGATE", count=1
        )


@pytest.fixture(scope="module")
def service(
    docker_client: docker.DockerClient, host: EcsHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    docker_client.images.build(
        path=str(ROOT / "watcher"), buildargs={"BASE_IMAGE": BASE_IMAGE}, rm=True, tag="watchbot-e2e-watcher"
    )
    docker_client.images.get(BASE_IMAGE).tag("watchbot-e2e-worker")
    with Emulator(tmp_path_factory.mktemp("aws"), ADDRESS, (*SERVICES, *_DEPLOYED)) as emulator:
        deployment = Deployment(emulator, host)
        deployment.deploy()
        deployed = Service(deployment, docker_client)
        deployed.until(lambda: any(entry.event == Event.WATCHER_STARTED for entry in deployed.entries()))
        yield deployed
        for name in (WATCHER_CONTAINER, WORKER_CONTAINER):
            for left in deployed.containers(name):
                left.remove(force=True)


def _dead_letters(service: Service) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = service.sqs.receive_message(
        QueueUrl=service.description.dead_letter_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    return letters


@pytest.mark.parametrize(
    ("message", "outcomes"),
    [
        ("exit0", [Outcome.SUCCEEDED]),
        ("exit3", [Outcome.REJECTED]),
        ("once4", [Outcome.NO_OP, Outcome.SUCCEEDED]),
        ("exit5", [Outcome.DEAD_LETTERED]),
        ("once1", [Outcome.FAILED, Outcome.SUCCEEDED]),
        ("killed", [Outcome.FAILED, Outcome.SUCCEEDED]),
    ],
)
def test_the_workers_exit_code_decides(service: Service, message: str, outcomes: list[Outcome]) -> None:
    service.forget_containers()
    before = len(service.finished())
    service.publish(message)
    if message == "killed":
        # As the kernel does when memory runs out: from outside, and with this signal.
        service.until(lambda: service.containers(WORKER_CONTAINER, everyone=False))
        service.containers(WORKER_CONTAINER)[0].kill("SIGKILL")
    service.until(lambda: len(service.finished()) == before + len(outcomes))
    assert service.outcomes()[before:] == [outcome.value for outcome in outcomes]
    # Each try was a task of its own.
    assert service.runs()[message] == len(outcomes)
    assert bool(_dead_letters(service)) is (Outcome.DEAD_LETTERED in outcomes)


@pytest.mark.parametrize(("size", "by_url"), [(7_000, False), (9_000, True), (200_000, True), (1_048_576, True)])
def test_a_message_of_any_size_reaches_the_worker_whole(service: Service, size: int, by_url: bool) -> None:
    service.forget_containers()
    before = len(service.finished())
    hard = """it's "quoted", back\\slashed, $(not run), `nor this`, żółć 漢字 😀\t\n"""
    body = hard + "x" * (size - len(hard.encode()))
    service.send(body)
    service.until(lambda: len(service.finished()) == before + 1)
    assert service.outcomes()[before:] == [Outcome.SUCCEEDED]
    (worker,) = service.containers(WORKER_CONTAINER)
    said = worker.logs().decode()
    assert hashlib.md5(body.encode(), usedforsecurity=False).hexdigest() in said
    assert ("by URL" in said) is by_url
    # The payload goes with its message.
    service.until(lambda: not service.payloads(), 10)


def test_a_watcher_that_is_killed_is_followed_by_one_that_adopts_the_running_task(service: Service) -> None:
    service.forget_containers()
    service.publish("long")
    service.until(lambda: service.containers(WORKER_CONTAINER))
    (watcher,) = service.containers(WATCHER_CONTAINER, everyone=False)
    watcher.kill("SIGKILL")
    watcher.remove(force=True)
    service.start_watcher()
    service.until(service.finished, 180)
    assert service.outcomes() == [Outcome.SUCCEEDED]
    assert service.runs()["long"] == 1


def test_ten_kills_lose_nothing_and_repeat_no_finished_work(service: Service) -> None:
    service.forget_containers()
    chance = random.Random(7)
    bodies = [f"brief{number}" for number in range(16)]
    for body in bodies:
        service.publish(body)
    for _ in range(10):
        time.sleep(chance.uniform(0.3, 3.0))  # when the watcher dies is what is drawn here
        for watcher in service.containers(WATCHER_CONTAINER):
            watcher.kill("SIGKILL") if watcher.status == "running" else None
            watcher.remove(force=True)
        service.start_watcher()
    service.until(lambda: service.waiting() == (0, 0), 240)
    assert {body: service.runs()[body] for body in bodies} == dict.fromkeys(bodies, 1)


def test_a_destroyed_stack_leaves_nothing(service: Service) -> None:
    before = service.left()
    assert all(before[what] for what in ("queues", "topics", "log groups", "buckets", "clusters", "roles", "stacks"))
    service.stop_tasks()
    service.deployment.destroy()
    service.until(lambda: not service.left()["stacks"])
    left = {what: found for what, found in service.left().items() if found}
    assert left == {}
