"""Messages of every size reach their task: in the environment, or behind a URL."""

from __future__ import annotations

import json

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
from watchbot.payload import Pointer
from watchbot.task_message import TaskMessage
from watchbot.task_request import MessageTooLargeError, overrides_size

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


def test_long_attributes_give_way_to_the_message() -> None:
    attributes = {"long": {"Type": "String", "Value": "a" * 9_000}}
    job = _prepared(_job("the text" * 200, attributes), SimulatedPayloads())
    assert (job.text, job.attributes, job.url) == ("the text" * 200, {}, None)


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
