"""What a worker sees of jobs from everywhere, through a template's own subscriptions, rules and buckets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from watchbot_cli.local.data_plane import DataPlane
from watchbot_cli.local.emulator import Emulator

pytestmark = pytest.mark.xdist_group("sources")

APP = """
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from watchbot_cdk import Isolation, S3Event, Watchbot

app = App()
stack = Stack(app, "Sources")
image = ecs.ContainerImage.from_registry("worker")
bucket = s3.Bucket(stack, "Bucket")
theirs, bodies, bus = sns.Topic(stack, "Theirs"), sns.Topic(stack, "Bodies"), events.EventBus(stack, "Bus")

svc = Watchbot(stack, "svc", image=image, watcher_image=image, isolation=Isolation.PROCESS, command=["work"])
red = sns.SubscriptionFilter.string_filter(allowlist=["red"])
svc.subscribe_to(theirs, filter_policy={"colour": red})
svc.subscribe_to(bodies, filter_policy_with_message_body={"colour": sns.FilterOrPolicy.filter(red)})
svc.on_event(events.EventPattern(source=["shop"], detail_type=["Order Paid"]))
svc.on_event(events.EventPattern(source=["elsewhere"]), bus)
svc.on_s3_event(bucket, [S3Event.OBJECT_CREATED, S3Event.OBJECT_DELETED], prefix="in/", suffix=".csv")
hourly = scheduler.ScheduleExpression.rate(Duration.hours(1))
svc.on_schedule(hourly, '{"report": "daily", "at": "<aws.scheduler.scheduled-time>"}')

ordered = Watchbot(
    stack, "ordered", image=image, watcher_image=image, isolation=Isolation.PROCESS, command=["work"], fifo=True
)
# Unnamed FIFO queues are standard queues in the embedded AWS.
for name, queue in (("ordered.fifo", ordered.queue), ("ordered-dead.fifo", ordered.dead_letter_queue)):
    queue.node.default_child.queue_name = name
ordered.on_event(events.EventPattern(source=["warehouse"]), message_group_id="parcels")

values = {
    "queue": svc.queue.queue_url,
    "dead": svc.dead_letter_queue.queue_url,
    "ordered": ordered.queue.queue_url,
    "ordered_dead": ordered.dead_letter_queue.queue_url,
    "topic": svc.topic.topic_arn,
    "theirs": theirs.topic_arn,
    "bodies": bodies.topic_arn,
    "bus": bus.event_bus_name,
    "bucket": bucket.bucket_name,
}
stack.template_options.metadata = {"Values": values}
app.synth()
"""

SEEN = 'printf "%s\\n" "$Message" "${Subject-none}" "${MessageAttributes-none}" "${MessageGroupId-none}" "that is all"'


class _Deployed(Queues):
    """The queues of a service that a template has made."""

    def __init__(self, emulator: Emulator, url: str, dead_letter_url: str) -> None:
        self.emulator = emulator
        self.sqs = emulator.client("sqs")
        self.url, self.dead_letter_url = url, dead_letter_url
        self._fifo = False


class Sources:
    """The app, as it was deployed into the embedded AWS."""

    def __init__(self, emulator: Emulator, template: Mapping[str, Any]) -> None:
        self.emulator = emulator
        self.template = template
        wanted = template["Metadata"]["Values"]
        created = DataPlane({"Sources": template}, emulator).create({"Sources": list(wanted.values())})
        self.value = dict(zip(wanted, created["Sources"], strict=True))
        self.queues = _Deployed(emulator, self.value["queue"], self.value["dead"])
        self.ordered = _Deployed(emulator, self.value["ordered"], self.value["ordered_dead"])

    def publish(self, topic: str, message: str, **more: Any) -> None:
        self.emulator.client("sns").publish(TopicArn=self.value[topic], Message=message, **more)

    def put_event(self, source: str, detail: object, **more: str) -> None:
        entry = {"Source": source, "DetailType": "Order Paid", "Detail": json.dumps(detail), **more}
        assert self.emulator.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


class Worker:
    """The watcher of one queue, whose worker says what it sees; there is one for all tests."""

    def __init__(self, program: Program, queues: Queues) -> None:
        self.program = program
        self._queues = queues
        self._jobs = 0

    def seen(self) -> list[str]:
        """Give the message, subject, attributes and group that the worker of the only message saw."""
        self._jobs += 1
        finished = self.program.hears("job.finished", self._jobs)
        self.program.says("that is all", self._jobs)
        assert finished.fields["outcome"] == "succeeded"
        self._queues.becomes(0, 0)
        assert len(self.program.events("job.started")) == self._jobs
        return self.program.spoken[-5:-1]


@pytest.fixture(scope="module")
def sources(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "app.py").write_text(APP)
    environment = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")}
    subprocess.run([sys.executable, "app.py"], cwd=folder, env=environment, check=True)
    template = json.loads((folder / "cdk.out" / "Sources.template.json").read_text())
    return Sources(emulator, template)


@pytest.fixture(scope="module")
def worker(sources: Sources) -> Iterator[Worker]:
    with Program(sources.queues, SEEN) as program:
        yield Worker(program, sources.queues)


def _attribute(value: str) -> dict[str, Any]:
    return {"MessageAttributes": {"colour": {"DataType": "String", "StringValue": value}}}


def test_a_subscribed_topics_messages_are_opened_and_filtered_by_attributes(sources: Sources, worker: Worker) -> None:
    sources.publish("theirs", "not ours", **_attribute("blue"))
    sources.publish("theirs", "the text", Subject="about", **_attribute("red"))
    message, subject, attributes, group = worker.seen()
    assert (message, subject, group) == ("the text", "about", "none")
    assert json.loads(attributes) == {"colour": {"Type": "String", "Value": "red"}}


def test_a_message_that_a_policy_for_bodies_lets_through_is_opened(sources: Sources, worker: Worker) -> None:
    """That it keeps others out is SNS's work, which the embedded AWS leaves undone."""
    sources.publish("bodies", '{"colour": "red"}')
    assert worker.seen()[0] == '{"colour": "red"}'


def test_an_event_is_the_message_as_it_is(sources: Sources, worker: Worker) -> None:
    sources.put_event("nobody", {})
    sources.put_event("shop", {"order": 7})
    message, *others = worker.seen()
    event = json.loads(message)
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "Order Paid", {"order": 7})
    assert others == ["none", "none", "none"]


def test_an_event_of_another_bus_is_the_message_as_it_is(sources: Sources, worker: Worker) -> None:
    sources.put_event("elsewhere", {"order": 8}, EventBusName=sources.value["bus"])
    assert json.loads(worker.seen()[0])["detail"] == {"order": 8}


def test_an_event_in_a_fifo_queue_has_its_group(sources: Sources) -> None:
    sources.put_event("warehouse", {"parcel": 1})
    with Program(sources.ordered, SEEN) as program:
        message, _, _, group = Worker(program, sources.ordered).seen()
    assert json.loads(message)["detail"] == {"parcel": 1}
    assert group == "parcels"


def test_an_object_that_is_created_is_named_by_the_message(sources: Sources, worker: Worker) -> None:
    client, name = sources.emulator.client("s3"), sources.value["bucket"]
    for key in ("out/a.csv", "in/a.txt", "in/prices of 2026.csv"):
        client.put_object(Bucket=name, Key=key, Body=b"hello")
    event = json.loads(worker.seen()[0])
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert (event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]) == (name, "in/prices of 2026.csv")
    client.delete_object(Bucket=name, Key="in/prices of 2026.csv")
    assert json.loads(worker.seen()[0])["detail-type"] == "Object Deleted"


def test_what_a_schedule_sends_is_the_message(sources: Sources, worker: Worker) -> None:
    """Scheduler itself is not waited for: what it would send, it reads in the template."""
    (schedule,) = [one for one in sources.template["Resources"].values() if one["Type"] == "AWS::Scheduler::Schedule"]
    text = schedule["Properties"]["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", "2026-01-31T04:30:00Z")
    sources.queues.send(text)
    assert worker.seen() == ['{"report": "daily", "at": "2026-01-31T04:30:00Z"}', "none", "none", "none"]


def test_s3s_test_of_a_notification_runs_no_job(sources: Sources, worker: Worker) -> None:
    client = sources.emulator.client("s3")
    client.create_bucket(Bucket="notifying")
    notify = {"TopicConfigurations": [{"TopicArn": sources.value["topic"], "Events": ["s3:ObjectCreated:*"]}]}
    client.put_bucket_notification_configuration(Bucket="notifying", NotificationConfiguration=notify)
    client.put_object(Bucket="notifying", Key="a", Body=b"hello")
    assert worker.program.hears("message.ignored").fields["reason"] == "a test event of S3"
    (record,) = json.loads(worker.seen()[0])["Records"]
    assert record["s3"]["object"]["key"] == "a"
    assert len(worker.program.events("message.ignored")) == 1
