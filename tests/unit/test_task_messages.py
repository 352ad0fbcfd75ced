"""Messages of every size reach their task: in the environment, or behind a URL."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from tests.simulation.ecs import SimulatedEcs
from tests.simulation.payloads import SimulatedPayloads
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import task_runner
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Settings
from watchbot.job import Job
from watchbot.message import Message
from watchbot.notice import StartFailed
from watchbot.payload import Pointer
from watchbot.payload_store import PayloadError
from watchbot.placement import Placement
from watchbot.task_message import TaskMessage
from watchbot.task_request import MessageTooLargeError, TaskRequest, overrides_size

SETTINGS = Settings(
    queue_url="https://queue",
    dead_letter_queue_url="https://dead",
    cluster="cluster",
    task_definition="family",
    task_payload_bucket="bucket",
)
TEXTS = [
    "x" * 7_000,
    "x" * 9_000,
    '"\\' * 3_000,
    "ü" * 2_000,
    "😀" * 700,
    '{"key": "\\"ü\\u0000"}\n' * 10_000,
    "x" * 1_048_576,
]


def _variables(ecs: SimulatedEcs) -> dict[str, str]:
    (request,) = ecs.requests
    (container,) = request["overrides"]["containerOverrides"]
    return {one["name"]: one["value"] for one in container["environment"]}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{len(text)} of {text[:2]!r}")
def test_a_message_of_any_size_reaches_its_task_whole(text: str) -> None:
    payloads = SimulatedPayloads()

    async def scenario() -> SimulatedEcs:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        sqs.put(text)
        watch = Watch(sqs, task_runner(ecs, SETTINGS, payloads))
        await watch.after(30)
        return ecs

    variables = _variables(run_virtual(scenario()))
    if "Message" in variables:
        assert (variables["Message"], payloads.objects) == (text, {})
    else:
        assert payloads.read(variables["MessageUrl"]).decode() == text
    assert ("Message" in variables) is (len(json.dumps(text)) < 7_500)


def _job(text: str, attributes: dict[str, dict[str, str]] | None = None, pointer: Pointer | None = None) -> Job:
    message = Message("m1", "handle", text, {}, {}, 0)
    return Job(message, None if pointer else text, attributes=attributes or {}, pointer=pointer)


def _prepared(job: Job, payloads: SimulatedPayloads, bucket: str | None = "bucket") -> Job:
    return run_virtual(TaskMessage({}, payloads, bucket).prepared(job))


LONG = {"long": {"Type": "String", "Value": "a" * 9_000}}


def test_long_attributes_give_way_to_the_message_and_are_behind_a_url() -> None:
    payloads = SimulatedPayloads()
    variables = _prepared(_job("the text" * 200, LONG), payloads).variables()
    assert (variables["Message"], "MessageUrl" in variables) == ("the text" * 200, False)
    assert "MessageAttributes" not in variables
    assert json.loads(payloads.read(variables["MessageAttributesUrl"])) == LONG


def test_a_long_message_with_long_attributes_is_behind_two_urls() -> None:
    payloads = SimulatedPayloads()
    job = _prepared(_job("x" * 9_000, LONG), payloads)
    variables = job.variables()
    assert not {"Message", "MessageAttributes"} & set(variables)
    assert payloads.read(variables["MessageUrl"]) == b"x" * 9_000
    assert json.loads(payloads.read(variables["MessageAttributesUrl"])) == LONG
    assert overrides_size(job, {}) <= 7_900


def test_attributes_that_no_bucket_takes_are_left_out() -> None:
    job = _prepared(_job("the text", LONG), SimulatedPayloads(), None)
    assert set(job.variables()) == {"Message", "MessageId", "ApproximateReceiveCount"}


def test_what_was_parked_is_known_from_the_message_alone() -> None:
    """Another watcher may clean up after the one that has put it there."""
    payloads = SimulatedPayloads()
    body = json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": "x" * 9_000, "MessageAttributes": LONG})
    message = Message("m1", "handle", body, {}, {}, 0)
    run_virtual(TaskMessage({}, payloads, "bucket").prepared(Job(message, "x" * 9_000, attributes=LONG)))
    assert set(payloads.objects) == set(TaskMessage({}, payloads, "bucket").parked(message)) != set()


@pytest.mark.parametrize("text", ["a\0b", "\ud800", '"\\\0', "ü\0" * 5_000])
def test_a_text_that_no_variable_can_hold_is_behind_a_url(text: str) -> None:
    """As it is it would keep the container from starting, again and again."""
    payloads = SimulatedPayloads()
    body = json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": text})
    message = Message("m1", "handle", body, {}, {}, 0)
    task_message = TaskMessage({}, payloads, "bucket")
    job = run_virtual(task_message.prepared(Job(message, text)))
    assert job.url is not None
    assert (job.text, payloads.read(job.url)) == (None, text.encode("utf-8", "surrogatepass"))
    assert set(payloads.objects) == set(task_message.parked(message))


@pytest.mark.parametrize("text", ["\x01\x1b[31m\x7f", "\ufffe\u2028", "\r\n\t"])
def test_other_control_characters_stay_in_the_environment(text: str) -> None:
    assert _prepared(_job(text), SimulatedPayloads()).variables()["Message"] == text


def test_a_payload_with_a_nul_byte_stays_where_it_is() -> None:
    payloads, pointer = SimulatedPayloads(), Pointer("theirs", "key")
    payloads.objects[pointer] = b"a\0b"
    job = _prepared(_job("[pointer]", pointer=pointer), payloads)
    assert (job.text, job.url) == (None, payloads.url(pointer))


@pytest.mark.parametrize("subject", ["s" * 9_000, "\0", "\ud800", "😀" * 200_000])
def test_a_subject_that_cannot_be_a_variable_is_left_unset(subject: str) -> None:
    job = Job(Message("m1", "handle", "text", {}, {}, 0), "text", subject)
    prepared = _prepared(job, SimulatedPayloads())
    assert prepared.text == "text"
    assert _sent(prepared) == {"Message", "MessageId", "ApproximateReceiveCount"}


def test_a_trace_that_is_none_is_left_unset() -> None:
    attributes = {"traceparent": {"Type": "String", "Value": "t" * 9_000}}
    assert "TRACEPARENT" not in _sent(_prepared(_job("text", attributes), SimulatedPayloads()))


def test_refuses_what_no_variable_can_hold_where_there_is_no_bucket() -> None:
    with pytest.raises(MessageTooLargeError, match="what no variable can, such as NUL, and no bucket takes it"):
        _prepared(_job("\0"), SimulatedPayloads(), None)


def _sent(job: Job) -> set[str]:
    settings = Settings(queue_url="https://queue", task_definition="family")
    request = TaskRequest(settings, {}, Placement(settings, random.Random(1)))(job, 0, None)
    return {one["name"] for one in request["overrides"]["containerOverrides"][0]["environment"]}


@pytest.mark.parametrize(
    "definition", ["family", "family:7", "arn:aws:ecs:us-east-1:123456789012:task-definition/family:7"]
)
def test_a_task_is_tagged_with_its_family(definition: str) -> None:
    settings = Settings(queue_url="https://queue", task_definition=definition)
    request = TaskRequest(settings, {}, Placement(settings, random.Random(1)))(_job("x"), 0, None)
    assert request["tags"] == [{"key": "watchbot:family", "value": "family"}]


def test_attributes_that_fit_stay_beside_a_url() -> None:
    attributes = {"short": {"Type": "String", "Value": "a"}}
    job = _prepared(_job("x" * 9_000, attributes), SimulatedPayloads())
    assert (job.text, job.attributes) == (None, attributes)
    assert overrides_size(job, {}) <= 7_900


def test_a_payload_that_is_in_s3_already_is_not_copied() -> None:
    payloads, pointer = SimulatedPayloads(), Pointer("theirs", "key")
    payloads.objects[pointer] = b"x" * 100_000
    job = _prepared(_job("[pointer]", pointer=pointer), payloads)
    assert (job.text, job.url) == (None, payloads.url(pointer))
    assert set(payloads.objects) == {pointer}


def test_a_short_payload_is_in_the_environment() -> None:
    payloads, pointer = SimulatedPayloads(), Pointer("theirs", "key")
    payloads.objects[pointer] = b"short"
    job = _prepared(_job("[pointer]", pointer=pointer), payloads)
    assert (job.text, job.url) == ("short", None)


def test_refuses_what_does_not_fit_where_there_is_no_bucket() -> None:
    with pytest.raises(MessageTooLargeError, match="at most 7900, and no bucket takes it"):
        _prepared(_job("x" * 9_000), SimulatedPayloads(), None)


@pytest.mark.parametrize("operation", ["put", "sign"])
def test_a_bucket_that_fails_burns_no_attempt(operation: str) -> None:
    class FailingPayloads(SimulatedPayloads):
        async def put(self, pointer: Pointer, text: bytes) -> None:
            await self._fail("put")
            await super().put(pointer, text)

        async def sign(self, pointer: Pointer) -> str:
            await self._fail("sign")
            return await super().sign(pointer)

        async def _fail(self, name: str) -> None:
            await asyncio.sleep(30)  # slow as well
            if name == operation and asyncio.get_running_loop().time() < 1200:
                raise PayloadError("AccessDenied")

    async def scenario() -> tuple[SimulatedSqs, SimulatedEcs, Watch]:
        sqs, ecs = SimulatedSqs(), SimulatedEcs()
        sqs.put("x" * 9_000)
        watch = Watch(sqs, task_runner(ecs, SETTINGS, FailingPayloads()))
        await watch.after(2400)
        await watch.stopped()
        return sqs, ecs, watch

    sqs, ecs, watch = run_virtual(scenario())
    assert list(sqs.deleted) == ["m1"]
    assert len(sqs.ever["m1"].receives) == 1
    assert len(ecs.tasks) == 1
    assert {one.reason for one in watch.told(StartFailed) if isinstance(one, StartFailed)} == {"AccessDenied"}
