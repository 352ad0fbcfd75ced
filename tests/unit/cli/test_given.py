"""What is given to watchbot run is what SQS would have handed out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from watchbot.job import Job
from watchbot.opener import EnvelopeOpener
from watchbot_cli.errors import UsageError
from watchbot_cli.running.given import from_json, given_message, to_json


def _job(tmp_path: Path, line: dict[str, Any]) -> Job:
    file = tmp_path / "line.json"
    file.write_text(json.dumps(line))
    message = given_message(None, str(file), fifo=False, receive_count=2)
    job = asyncio.run(EnvelopeOpener().open(from_json(to_json(message))))
    assert isinstance(job, Job)
    return job


@pytest.mark.parametrize("more", [{}, {"Subject": "s"}])
def test_a_line_of_send_is_opened_as_if_it_came_through_the_topic(tmp_path: Path, more: dict[str, str]) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "tile"},
        "raw": {"DataType": "Binary", "BinaryValue": "AP8="},
    }
    job = _job(tmp_path, {"Message": {"zoom": 3}, "MessageAttributes": attributes, **more})
    assert (job.text, job.subject, job.message.receive_count) == ('{"zoom": 3}', more.get("Subject"), 2)
    assert job.attributes == {"kind": {"Type": "String", "Value": "tile"}, "raw": {"Type": "Binary", "Value": "AP8="}}


def test_a_binary_attribute_of_a_dead_letter_is_what_it_was(tmp_path: Path) -> None:
    raw = {"raw": {"DataType": "Binary", "BinaryValue": "AP8="}}
    job = _job(tmp_path, {"letter_id": "l", "body": "hello", "message_attributes": raw})
    assert job.message.message_attributes["raw"]["BinaryValue"] == b"\0\xff"


def test_refuses_a_line_that_send_refuses(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has Subjekt; allowed are Message"):
        _job(tmp_path, {"Message": "x", "Subjekt": "y"})


def test_refuses_a_letter_that_sqs_would_not_hand_out(tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_text(json.dumps({"letter_id": "a b\nc", "body": "hello", "message_attributes": {}}))
    with pytest.raises(UsageError, match="cannot be one that SQS would hand out: MessageId is missing or not an id"):
        given_message(None, str(file), fifo=False, receive_count=1)
