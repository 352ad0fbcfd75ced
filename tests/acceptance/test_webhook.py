"""The webhook from the caller's request to the worker: the template's request, the embedded AWS, the real program."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.simulation.signed import HEADER, sign
from tests.simulation.velocity import Input, Velocity
from watchbot_cdk.webhook_template import TAKEN, request_template
from watchbot_cli.local.emulator import ACCESS_KEY_ID

REPORT = 'cp "$MessageFile" "$OUT/$MessageId"; printf %s "$MessageAttributes" > "$OUT/$MessageId.attributes"'

BODIES = [
    '{"a": "it\'s \\"quoted\\" & 100 %"}',
    "payload=%7B%22a%22%3A1%7D&Action=DeleteQueue&MessageBody=theirs",
    "one\r\ntwo\n\u00fcber \U0001f680",
    json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": "theirs"}),
]


class Hook:
    """The webhook of a queue, and the secret that its callers sign with."""

    def __init__(self, queues: Queues, name: str) -> None:
        self._queues = queues
        self._secrets: Any = queues.emulator.client("secretsmanager")
        self.secret: str = name

    def store(self, value: str) -> None:
        try:
            self._secrets.put_secret_value(SecretId=self.secret, SecretString=value)
        except self._secrets.exceptions.ResourceNotFoundException:
            self.secret = self._secrets.create_secret(Name=self.secret, SecretString=value)["ARN"]

    def call(self, body: str, headers: Mapping[str, str], *, ahead_seconds: float = 0) -> str:
        """Do what API Gateway does with a request; gives the message id that the caller is told.

        With its clock ahead, the secret was surely stored before the request came in.
        """
        context = {
            "requestTimeEpoch": int((time.time() + ahead_seconds) * 1000),
            "extendedRequestId": str(time.monotonic_ns()),
        }
        template = request_template((HEADER, "x-github-event"), fifo=self._queues.url.endswith(".fifo"), verified=False)
        form = Velocity(input=Input(body, headers), context=context).render(template)
        request = urllib.request.Request(
            self._queues.url,
            form.encode(),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260101/us-east-1/sqs/aws4_request",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answered:
            answer = answered.read().decode()
        if answer.lstrip().startswith("<"):
            # The emulator knows this protocol's answers in XML alone.
            found = answer.partition("<MessageId>")[2].partition("</MessageId>")[0]
            answer = json.dumps({"SendMessageResponse": {"SendMessageResult": {"MessageId": found}}})
        taken: str = json.loads(Velocity(input=Input(answer)).render(TAKEN))["MessageId"]
        return taken


@pytest.fixture
def hook(queues: Queues, request: pytest.FixtureRequest) -> Hook:
    return Hook(queues, request.node.name)


def _program(queues: Queues, hook: Hook, out: Path, **settings: str) -> Program:
    program = Program(
        queues,
        REPORT,
        hmac_secret=hook.secret,
        hmac_header=HEADER,
        hmac_prefix="sha256=",
        workers="4",
        **settings,
    )
    program.environment["OUT"] = str(out)
    return program


def _end(program: Program) -> None:
    """Stop it without waiting for the poll that is open."""
    program.signal(signal.SIGTERM)
    program.hears("watcher.draining")
    program.signal(signal.SIGTERM)
    assert program.exit_code() == 0


def test_the_worker_gets_what_was_signed_byte_for_byte_and_nothing_else(
    queues: Queues, hook: Hook, tmp_path: Path
) -> None:
    hook.store("s3cret")
    sent = {}
    for body in BODIES:
        headers = {"X-Hub-Signature-256": sign(body, b"s3cret"), "X-GitHub-Event": "push", "Content-Type": "x"}
        sent[hook.call(body, headers)] = body
    forged = hook.call("forged", {"X-Hub-Signature-256": sign("forged", b"guessed")}, ahead_seconds=10)
    unsigned = hook.call("unsigned", {})
    (ours,) = queues.send("ours")
    with _program(queues, hook, tmp_path) as program:
        program.hears("job.finished", 5)
        program.hears("signature.invalid", 2)
        _end(program)
    for message, body in {**sent, ours: "ours"}.items():
        assert (tmp_path / message).read_bytes() == body.encode()
    for message in sent:
        attributes = json.loads((tmp_path / f"{message}.attributes").read_text())
        assert attributes.keys() == {"watchbot.WebhookTime", HEADER, "x-github-event"}
        assert attributes["x-github-event"] == {"Type": "String", "Value": "push"}
    told = {heard.entry.message_id: heard.fields for heard in program.events("signature.invalid")}
    assert told == {
        forged: {"settlement": "deleted", "reason": "its signature was not made with the secret"},
        unsigned: {"settlement": "deleted", "reason": "the request had no x-hub-signature-256"},
    }
    assert (program.metric("InvalidSignatures"), program.metric("WorkerErrors"), program.metric("Rejected")) == (
        2,
        0,
        0,
    )
    assert queues.waiting() == (0, 0)
    assert queues.dead_letters() == []


def test_a_secret_that_is_rotated_while_the_watcher_runs_loses_no_message(
    queues: Queues, hook: Hook, tmp_path: Path
) -> None:
    hook.store("one")
    with _program(queues, hook, tmp_path) as program:
        hook.call("a", {HEADER: sign("a", b"one")})
        program.hears("job.finished")
        hook.store("two")
        hook.call("b", {HEADER: sign("b", b"two")})
        hook.call("c", {HEADER: sign("c", b"one")})
        program.hears("job.finished", 3)
        _end(program)
    assert program.events("signature.invalid") == []


def test_a_secret_that_is_not_there_keeps_the_message_until_it_is(queues: Queues, hook: Hook, tmp_path: Path) -> None:
    message = hook.call("a", {HEADER: sign("a", b"one")})
    with _program(queues, hook, tmp_path) as program:
        reason = program.hears("job.start_failed").fields["reason"]
        assert reason.startswith("its signature cannot be checked: the secret ")
        hook.store("one")
        assert program.hears("job.finished").entry.message_id == message
        _end(program)
    assert program.events("signature.invalid") == []
    assert program.metric("FailedWorkerPlacement") == 1


def test_what_is_forged_can_be_dead_lettered_with_its_reason(queues: Queues, hook: Hook, tmp_path: Path) -> None:
    hook.store("one")
    hook.call("forged", {HEADER: sign("forged", b"guessed")}, ahead_seconds=10)
    with _program(queues, hook, tmp_path, hmac_on_invalid="dead_letter") as program:
        assert program.hears("signature.invalid").fields["settlement"] == "dead_lettered"
    (letter,) = queues.dead_letters()
    assert letter["Body"] == "forged"
    attributes = {name: one["StringValue"] for name, one in letter["MessageAttributes"].items()}
    assert attributes["watchbot.Reason"] == "its signature was not made with the secret"
    assert {"watchbot.WebhookTime", HEADER} <= attributes.keys()


def test_on_a_fifo_queue_requests_keep_their_order_and_equal_ones_are_two(
    fifo_queues: Queues, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    hook = Hook(fifo_queues, request.node.name)
    hook.store("one")
    sent = [hook.call(body, {HEADER: sign(body, b"one")}) for body in ("same", "same", "other")]
    with _program(fifo_queues, hook, tmp_path) as program:
        program.hears("job.finished", 3)
        _end(program)
    assert [heard.entry.message_id for heard in program.events("job.started")] == sent
