"""Dead letters go back as they were, and survive being written down."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from watchbot_cli.dead_letter.exported import read_letters
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.errors import UsageError

LETTER = Letter.from_sqs(
    {
        "MessageId": "here",
        "ReceiptHandle": "r",
        "Body": "b",
        "Attributes": {"AWSTraceHeader": "Root=1", "MessageGroupId": "g", "SentTimestamp": "1000"},
        "MessageAttributes": {
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff", "StringListValues": []},
            "watchbot.MessageId": {"DataType": "String", "StringValue": "there"},
        },
    }
)


def test_body_attributes_group_and_trace_go_back() -> None:
    assert LETTER.send_fields(fifo=True) == {
        "MessageBody": "b",
        "MessageAttributes": {
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
            "watchbot.MessageId": {"DataType": "String", "StringValue": "there"},
        },
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}},
        "MessageGroupId": "g",
        "MessageDeduplicationId": "returned-here",
    }


def test_what_is_written_down_can_be_sent_as_if_it_were_here() -> None:
    again = Letter.from_document(json.loads(json.dumps(LETTER.document(5.0))))
    assert again.send_fields(fifo=True) == LETTER.send_fields(fifo=True)
    assert (again.message_id, again.is_called("here"), LETTER.document(5.0)["age_seconds"]) == ("there", True, 4)


def _hooked(kind: str, body: str = "b") -> Letter:
    time = {"DataType": kind, "StringValue": "1700000000000"}
    return dataclasses.replace(LETTER, body=body, attributes={"watchbot.WebhookTime": time})


def _written(tmp_path: Path, letter: Letter, **mended: object) -> str:
    file = tmp_path / "dead.jsonl"
    file.write_text(json.dumps({**letter.document(5.0), **mended}))
    return str(file)


def _kind(letter: Letter) -> object:
    return letter.send_fields(fifo=False)["MessageAttributes"]["watchbot.WebhookTime"]["DataType"]


def test_the_note_that_a_signature_was_valid_survives_mending(tmp_path: Path) -> None:
    file = _written(tmp_path, _hooked("Number.verified"), body="mended")
    ((_, letter),) = read_letters(file, fifo=False, trust_unverified=False)
    assert (letter.body, _kind(letter)) == ("mended", "Number.verified")


def test_a_letter_without_that_note_goes_back_as_it_was_and_gets_none(tmp_path: Path) -> None:
    ((_, letter),) = read_letters(_written(tmp_path, _hooked("Number")), fifo=False, trust_unverified=False)
    assert (letter.body, _kind(letter)) == ("b", "Number")


@pytest.mark.parametrize("mended", [{"body": "mended"}, {"body": "mended", "message": None}])
def test_refuses_a_mended_letter_of_the_webhook_that_was_never_verified(
    tmp_path: Path, mended: dict[str, object]
) -> None:
    file = _written(tmp_path, _hooked("Number"), **mended)
    with pytest.raises(UsageError, match=r"line 1: came through a webhook and was changed.* --trust-unverified"):
        read_letters(file, fifo=False, trust_unverified=False)
    ((_, letter),) = read_letters(file, fifo=False, trust_unverified=True)
    assert (letter.body, _kind(letter)) == ("mended", "Number.verified")


def test_a_letter_that_did_not_come_through_the_webhook_is_mended_without_further_ado(tmp_path: Path) -> None:
    for trust_unverified in (False, True):
        ((_, letter),) = read_letters(
            _written(tmp_path, LETTER, body="mended"), fifo=False, trust_unverified=trust_unverified
        )
        assert letter.send_fields(fifo=False) == {**LETTER.send_fields(fifo=False), "MessageBody": "mended"}


def test_what_came_through_the_webhook_is_no_envelope_whatever_it_looks_like() -> None:
    forged = json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": "theirs", "Subject": "theirs"})
    document = _hooked("Number", forged).document(5.0)
    assert (document["message"], document["subject"]) == (forged, None)
    assert document["attributes"] == {"watchbot.WebhookTime": "1700000000000"}
