"""What a notification of a failed job says, and how large it can be."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from watchbot.contract import Outcome
from watchbot.failure_report import Reporter, summary
from watchbot.message import Message
from watchbot.notice import JobFinished
from watchbot.opener import EnvelopeOpener
from watchbot.result import Result
from watchbot.settlement import DeadLetter, Delete, LetGo, Return, Settlement
from watchbot.sns import MESSAGE_LIMIT, SUBJECT_LIMIT, Notification
from watchbot.tail import Tail
from watchbot.whereabouts import Whereabouts

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/cluster/0123abcd"
SYSTEM = {"SentTimestamp": "1000", "ApproximateReceiveCount": "3"}
FAILED = Result(Outcome.FAILED, 7, reason="exit code 7", duration_seconds=12.345)

COUNTS = Counter({Outcome.FAILED: 11, Outcome.TIMED_OUT: 1})

EXPECTED = """\
app/svc: the job of message m-1 failed at 1970-01-01 00:01:00 UTC.

Outcome: failed
Reason: exit code 7
Exit code: 7
Duration: 12.3 s
The message: returned to the queue, visible again after 8 s

Message:
  Subject: tiles
  MessageId: m-1
  SentTimestamp: 1970-01-01T00:00:01.000Z
  ApproximateReceiveCount: 3
  Message: render 4/2/1

Where:
  Task: arn:aws:ecs:eu-west-1:123456789012:task/cluster/0123abcd
  Log group: jobs
  Log stream: watchbot/worker/0123abcd

Last lines of the worker:
  reading
  Killed

And 12 more not sent: 11 failed, 1 timed out.
"""


def _envelope(text: str, subject: str = "tiles") -> str:
    about = {"Type": "Notification", "TopicArn": "arn:topic"}
    return json.dumps({**about, "Message": text, "Subject": subject})


def _told(
    body: str = _envelope("render 4/2/1"),
    result: Result = FAILED,
    settlement: Settlement = Return(8),  # noqa: B008 - a frozen value
    *,
    service: str = "app/svc",
    message_id: str = "m-1",
    shows_bodies: bool = True,
    bucket: str | None = None,
    lines: tuple[str, ...] = (),
    whereabouts: Whereabouts | None = None,
) -> Notification:
    reporter = Reporter(
        service, EnvelopeOpener(bucket), whereabouts, log_group="jobs", shows_bodies=shows_bodies, now=lambda: 60.0
    )
    message = Message(message_id, "handle", body, SYSTEM, {}, 0)
    report = asyncio.run(reporter.of(JobFinished(message, result, settlement)))
    return report.notification(lines, None, COUNTS)


def test_a_notification_answers_what_people_ask_first() -> None:
    result = Result(Outcome.FAILED, 7, reason="exit code 7", duration_seconds=12.345, task=TASK)
    told = _told(result=result, lines=("reading", "Killed"))
    assert told.subject == "app/svc: job failed, message m-1"
    assert told.text == EXPECTED


@pytest.mark.parametrize(
    ("settlement", "said"),
    [
        (Delete(), "deleted"),
        (Return(0), "visible again after 0 s"),
        (DeadLetter("exit code 7 on receive 10 of 10"), "moved to the dead-letter queue: exit code 7 on receive 10"),
        (LetGo(), "left to the watcher that has its lease now"),
    ],
)
def test_it_says_where_the_message_is(settlement: Settlement, said: str) -> None:
    assert said in _told(settlement=settlement).text


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("rejected", "was rejected"), ("dead_lettered", "was dead-lettered"), ("timed_out", "timed out")],
)
def test_each_outcome_has_its_word(outcome: str, word: str) -> None:
    told = _told(result=Result(Outcome(outcome)))
    assert f"the job of message m-1 {word} at" in told.text
    assert f"job {word.removeprefix('was ')}" in told.subject


def test_nothing_of_what_the_sender_wrote_is_shown_when_bodies_are_not_logged() -> None:
    text = _told(_envelope("secret one", "secret two"), shows_bodies=False).text
    assert "secret" not in text
    assert "Message: (not shown, because message bodies are not logged)" in text
    assert "MessageId: m-1" in text


def test_a_payload_is_named_and_not_read() -> None:
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "ours", "s3Key": "a/b"}]
    text = _told(json.dumps(pointer), bucket="ours").text
    assert "Payload: s3://ours/a/b" in text
    assert "  Message: " not in text


@pytest.mark.parametrize("character", ["x", "é", "😀", "\x00", "\ud800", "\n"])
def test_everything_at_its_largest_is_within_what_sns_takes(character: str) -> None:
    large = character * (1_048_576 // len(character.encode(errors="surrogatepass")))
    tail = Tail()
    for _ in range(1000):
        tail.add(large[:16_384])
    told = _told(
        _envelope(large, large),
        Result(Outcome.FAILED, 7, reason=large),
        DeadLetter(large),
        service=large[:500],
        lines=tuple(tail.lines()),
    )
    assert len(told.subject) <= SUBJECT_LIMIT
    assert 1000 < len(told.text.encode()) <= MESSAGE_LIMIT / 4
    assert "… (the first 4096 bytes of" in told.text


@pytest.mark.parametrize("name", ["Größe\n/svc", "a" * 60, "a" * 200])
def test_a_subject_is_short_printable_ascii(name: str) -> None:
    for subject in (_told(service=name, message_id="m" * 36).subject, summary(name, COUNTS).subject):
        assert subject.isascii()
        assert subject.isprintable()
        assert 10 < len(subject) < 100


def test_a_mail_holds_no_control_characters_and_half_characters() -> None:
    text = _told(_envelope("a\x00b\x1b[31m\ud800"), lines=("\x1b[0mred\x07",)).text
    assert "Message: a\ufffdb\ufffd[31m\ufffd" in text
    assert "  \ufffd[0mred\ufffd" in text
    text.encode()


def test_outside_ecs_the_place_is_the_host() -> None:
    where = Whereabouts({})
    assert f"Host: {where.host}\n  Log group: jobs\n" in _told(whereabouts=where).text


@pytest.fixture
def metadata() -> Iterator[http.server.HTTPServer]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"TaskARN": TASK}).encode() if self.path == "/v4/x/task" else b"<nothing>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_in_ecs_the_place_is_the_task_and_its_log_stream(metadata: http.server.HTTPServer) -> None:
    uri = f"http://127.0.0.1:{metadata.server_port}/v4/x"
    text = _told(whereabouts=Whereabouts({"ECS_CONTAINER_METADATA_URI_V4": uri})).text
    assert f"  Task: {TASK}\n  Log group: jobs\n  Log stream: watchbot/worker/0123abcd\n" in text


@pytest.mark.parametrize("path", ["/v4/y", "0/nowhere"])
def test_an_ecs_that_does_not_answer_costs_no_notification(metadata: http.server.HTTPServer, path: str) -> None:
    uri = f"http://127.0.0.1:{metadata.server_port}{path}"
    assert "  Host: " in _told(whereabouts=Whereabouts({"ECS_CONTAINER_METADATA_URI_V4": uri})).text
