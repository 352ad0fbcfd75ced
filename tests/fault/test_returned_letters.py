"""Messages go to the dead-letter queue and back, the secret rotated twice meanwhile: none is lost on the way.

The queues, the topic, the bucket and the secret of the embedded AWS, the real watcher, the real commands. The embedded
SQS has no move task: what that does, a copy of body and attributes, is done here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.letters import received
from tests.acceptance.operated import Operated
from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from watchbot.contract import Description

HEADER = "x-hub-signature-256"
WORK = """
test -e "$OUT/healed" && { cp "$MessageFile" "$OUT/$MessageId"; exit; }
case "$(cat "$MessageFile")" in *gives*) exit 5 ;; esac
exit 1
"""

_Attributes = Mapping[str, Mapping[str, str]]


def _string(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def _hooked(body: str, secret: bytes) -> dict[str, dict[str, str]]:
    """The attributes that the webhook gives a request."""
    digest = hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()
    time_taken = {"DataType": "Number", "StringValue": str(int(time.time() * 1000))}
    return {"watchbot.WebhookTime": time_taken, HEADER: _string(f"sha256={digest}")}


class _Round:
    """A service of the embedded AWS whose jobs fail until it is healed."""

    def __init__(self, operated: Operated, service: str, out: Path) -> None:
        self.operated, self.name, self.out = operated, service, out
        self.service: Description = operated.services[service]
        self.fifo = service == "ordered"
        self.sqs: Any = operated.sqs
        self._secrets: Any = operated.emulator.client("secretsmanager")
        self.secret = self._secrets.create_secret(Name=f"{operated.name}-hook", SecretString="one")["ARN"]
        self.s3: Any = operated.emulator.client("s3")
        self.bucket = operated.name.lower()[-40:].strip("-")
        self.s3.create_bucket(Bucket=self.bucket)
        self.sent: set[str] = set()

    def send(self, name: str, attributes: _Attributes | None = None, body: str | None = None) -> None:
        """Send a job, and expect it from now on."""
        self.sent.add(name)
        self.put(_job(name) if body is None else body, {} if attributes is None else attributes)

    def put(self, body: str, attributes: Mapping[str, Any]) -> None:
        """Send a message, on a FIFO queue always a new one."""
        order = {"MessageGroupId": "g", "MessageDeduplicationId": str(uuid.uuid4())}
        self.sqs.send_message(
            QueueUrl=self.service.queue_url,
            MessageBody=body,
            MessageAttributes=attributes,
            **(order if self.fifo else {}),
        )

    def pointer(self, key: str) -> str:
        kind = "software.amazon.payloadoffloading.PayloadS3Pointer"
        return json.dumps([kind, {"s3BucketName": self.bucket, "s3Key": key}])

    def wear_out(self) -> None:
        """Receive what is in the queue until SQS itself moves it."""
        for _ in range(11):
            self.sqs.receive_message(QueueUrl=self.service.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)

    def rotate_twice(self) -> None:
        for value in ("two", "three"):
            self._secrets.put_secret_value(SecretId=self.secret, SecretString=value)

    def work(self, *, until: int) -> None:
        """Run the watcher until so many dead letters are there, or so many jobs done."""
        queues = Queues.__new__(Queues)
        queues.emulator = self.operated.emulator
        queues.url, queues.dead_letter_url = self.service.queue_url, self.service.dead_letter_queue_url
        settings = {
            # The embedded SQS gives what comes next to the open poll of a watcher that has ended: soon it is back.
            "visibility_timeout_seconds": "5",
            "max_receive_count": "1",
            "workers": "8",
            "payload_bucket": self.bucket,
            "hmac_secret": self.secret,
            "hmac_header": HEADER,
            "hmac_prefix": "sha256=",
        }
        program = Program(queues, WORK, **settings)
        program.environment["OUT"] = str(self.out)
        with program:
            self.operated.becomes(self.service.queue_url, lambda visible, hidden: visible + hidden == 0)
            program.signal(signal.SIGTERM)
            program.hears("watcher.draining")
            program.signal(signal.SIGTERM)
            assert program.exit_code() == 0
            settled = [*program.events("job.finished"), *program.events("signature.invalid")]
            assert len(settled) == until, "\n".join(program.log)

    def dead(self) -> list[dict[str, Any]]:
        return received(self.sqs, self.service.dead_letter_queue_url)

    def done(self) -> list[str]:
        """The names of the jobs that were worked on once the service was healed."""
        return sorted(json.loads(one.read_text())["job"] for one in self.out.iterdir() if one.name != "healed")

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        ran = self.operated.run("dead-letter", *arguments, service=self.name)
        assert ran.returncode == exit_code, ran.stderr
        return ran.stderr


def _job(name: str) -> str:
    return json.dumps({"job": name, "url": "htpp://x"})


def _send_all(made: _Round) -> None:
    """Send a job by every way into the queue, for every way out of it that is no success."""
    made.send("webhook, worn out", _hooked(_job("webhook, worn out"), b"one"))
    made.send("direct, worn out")
    made.wear_out()
    for end in ("gives up", "fails"):
        made.send(f"direct, {end}", {"colour": _string("red")})
        made.send(f"webhook, {end}", _hooked(_job(f"webhook, {end}"), b"one"))
    # It waited while the secret was changed, so that it may have been valid.
    made.send("webhook, invalid", _hooked("another body", b"one"))
    for key in ("payload, gives up", "payload, is gone"):
        made.send(key, body=made.pointer(key))
    made.s3.put_object(Bucket=made.bucket, Key="payload, gives up", Body=_job("payload, gives up"))
    if not made.fifo:
        sns = made.operated.emulator.client("sns")
        sns.publish(TopicArn=made.service.topic_arn, Message=_job("topic, gives up"))
        raw = sns.create_topic(Name=f"{made.operated.name[-40:]}-raw")["TopicArn"]
        arn = made.sqs.get_queue_attributes(QueueUrl=made.service.queue_url, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=raw,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        sns.publish(TopicArn=raw, Message=_job("raw topic, gives up"))
        made.sent |= {"topic, gives up", "raw topic, gives up"}


def _move(made: _Round) -> None:
    """Move every letter as SQS's own task does."""
    for letter in made.dead():
        given = letter.get("MessageAttributes", {})
        kept = {name: {part: one[part] for part in ("DataType", "StringValue")} for name, one in given.items()}
        made.put(letter["Body"], kept)


def _import(made: _Round, *, mended: bool) -> None:
    """Export, change, import and delete; what import refuses stays where it is."""
    file = made.out.parent / "dead.jsonl"
    made.run("export", str(file))
    documents = [json.loads(line) for line in file.read_text().splitlines()]
    if mended:
        for document in documents:
            document["body"] = document["body"].replace("htpp", "http")
        _write(file, documents)
        refused = made.run("import", str(file), "--yes", exit_code=2)
        unverified = [one for one in documents if _kind(one["message_attributes"]) == "Number"]
        assert refused.count("--trust-unverified") == len(unverified) == 2
        documents = [one for one in documents if one not in unverified]
    _write(file, documents)
    made.run("import", str(file), "--yes")
    made.run("delete", "--from", str(file), "--yes")


def _kind(attributes: _Attributes) -> str | None:
    """The data type of the webhook's mark, which says whether the signature was found valid."""
    return attributes.get("watchbot.WebhookTime", {}).get("DataType")


def _write(file: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(one) + "\n" for one in documents))


@pytest.mark.parametrize("service", ["plain", "ordered"])
@pytest.mark.parametrize("back", ["move task", "redrive", "import", "import mended"])
def test_every_letter_is_processed_or_still_in_a_queue_after_two_rotations(
    operated: Operated, tmp_path: Path, service: str, back: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    made = _Round(operated, service, out)
    _send_all(made)
    made.work(until=len(made.sent) - 2)
    assert sum(operated.counts(made.service.dead_letter_queue_url)) == len(made.sent)
    assert made.done() == []
    made.rotate_twice()
    (out / "healed").touch()
    made.s3.put_object(Bucket=made.bucket, Key="payload, is gone", Body=_job("payload, is gone"))
    returned = len(made.sent)
    match back:
        case "move task":
            _move(made)
        case "redrive":
            made.run("redrive", "--yes")
        case "import":
            _import(made, mended=False)
        case "import mended":
            _import(made, mended=True)
            returned -= 2
    made.work(until=returned)
    unverified = {"webhook, worn out", "webhook, invalid"}
    assert made.done() == sorted(made.sent - unverified)
    left = made.dead()
    assert {json.loads(one["Body"])["job"] for one in left} == unverified
    assert {_kind(one["MessageAttributes"]) for one in left} == {"Number"}
