from __future__ import annotations

from typing import Any

import pytest

from watchbot.dead_letter import SIZE_LIMIT, dead_letter_fields
from watchbot.message import Message


def _message(body: str = "body", attributes: dict[str, Any] | None = None, **system: str) -> Message:
    return Message("the-id", "handle", body, system, attributes or {}, 0)


_RECEIVED_THREE_TIMES = {"ApproximateReceiveCount": "3"}
_FIRST_ID = "5fea7756-0ea4-451a-a703-a558b933e274"


def _string(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def test_a_dead_letter_keeps_everything_and_says_why() -> None:
    message = _message(
        attributes={"colour": _string("red")}, AWSTraceHeader="Root=1-2", MessageGroupId="g", **_RECEIVED_THREE_TIMES
    )
    assert dead_letter_fields(message, "exit code 5", fifo=False) == {
        "MessageBody": "body",
        "MessageAttributes": {
            "colour": _string("red"),
            "watchbot.MessageId": _string("the-id"),
            "watchbot.Reason": _string("exit code 5"),
            "watchbot.ReceiveCount": _string("3"),
        },
        "MessageSystemAttributes": {"AWSTraceHeader": _string("Root=1-2")},
        "MessageGroupId": "g",
    }


def test_a_fifo_dead_letter_is_deduplicated_by_message_id() -> None:
    fields = dead_letter_fields(_message(MessageGroupId="g", MessageDeduplicationId="old"), "x", fifo=True)
    assert fields["MessageDeduplicationId"] == "the-id"


def test_ten_attributes_leave_no_room_for_the_reason() -> None:
    attributes = {f"a{number}": _string("x") for number in range(10)}
    assert dead_letter_fields(_message(attributes=attributes), "x", fifo=False)["MessageAttributes"] == attributes


def test_a_full_body_leaves_no_room_for_the_reason() -> None:
    fields = dead_letter_fields(_message("b" * SIZE_LIMIT), "exit code 5", fifo=False)
    assert fields["MessageAttributes"] == {}
    assert len(fields["MessageBody"]) == SIZE_LIMIT


def test_the_receive_count_is_the_first_to_go_where_ten_attributes_are_too_few() -> None:
    attributes = {f"a{number}": _string("x") for number in range(8)}
    fields = dead_letter_fields(_message(attributes=attributes, **_RECEIVED_THREE_TIMES), "why", fifo=False)
    assert [*fields["MessageAttributes"]] == [*attributes, "watchbot.MessageId", "watchbot.Reason"]


def test_a_redriven_message_that_fails_again_gets_its_new_reason_and_keeps_its_first_id() -> None:
    first = {"watchbot.Reason": "old", "watchbot.MessageId": _FIRST_ID, "watchbot.ReceiveCount": "10"}
    message = _message(attributes={name: _string(text) for name, text in first.items()})
    attributes = dead_letter_fields(message, "new", fifo=False)["MessageAttributes"]
    assert {name: one["StringValue"] for name, one in attributes.items()} == {
        "watchbot.MessageId": _FIRST_ID,
        "watchbot.Reason": "new",
        "watchbot.ReceiveCount": "1",
    }


@pytest.mark.parametrize(
    "claimed",
    [
        {"watchbot.MessageId": _FIRST_ID},
        {"watchbot.MessageId": _FIRST_ID, "watchbot.Reason": ""},
        {"watchbot.MessageId": f"{_FIRST_ID} [/]", "watchbot.Reason": "spoofed"},
        {"watchbot.MessageId": "m1", "watchbot.Reason": "spoofed"},
    ],
)
def test_a_sender_names_no_letter(claimed: dict[str, str]) -> None:
    message = _message(attributes={name: _string(text) for name, text in claimed.items()})
    attributes = dead_letter_fields(message, "why", fifo=False)["MessageAttributes"]
    assert attributes["watchbot.MessageId"] == _string("the-id")
    assert attributes["watchbot.Reason"] == _string("why")


def test_a_senders_binary_attribute_of_our_name_is_replaced() -> None:
    theirs = {"watchbot.MessageId": {"DataType": "Binary", "BinaryValue": b"\xff"}}
    attributes = dead_letter_fields(_message(attributes=theirs), "why", fifo=False)["MessageAttributes"]
    assert attributes["watchbot.MessageId"] == _string("the-id")


def test_a_reason_that_sqs_would_refuse_is_made_acceptable() -> None:
    attributes = dead_letter_fields(_message(), "no \x00 \x1b \ufffe" + "é" * 2000, fifo=False)["MessageAttributes"]
    reason = attributes["watchbot.Reason"]["StringValue"]
    assert reason.startswith("no \ufffd \ufffd \ufffd")
    assert len(reason.encode()) <= 1024


_MARK = {"watchbot.WebhookTime": {"DataType": "Number", "StringValue": "1700000000123"}}


def test_a_verified_message_of_the_webhook_is_noted_as_such_once() -> None:
    for attributes in (
        _MARK,
        {"watchbot.WebhookTime": {**_MARK["watchbot.WebhookTime"], "DataType": "Number.verified"}},
    ):
        fields = dead_letter_fields(_message(attributes=attributes), "x", fifo=False, verified=True)
        noted = fields["MessageAttributes"]["watchbot.WebhookTime"]
        assert noted == {"DataType": "Number.verified", "StringValue": "1700000000123"}


def test_seven_headers_leave_room_for_the_note_the_id_and_the_reason() -> None:
    headers = {f"h{number}": _string("x") for number in range(7)}
    fields = dead_letter_fields(_message(attributes={**_MARK, **headers}), "x", fifo=False, verified=True)
    assert len(fields["MessageAttributes"]) == 10
    assert fields["MessageAttributes"]["watchbot.WebhookTime"]["DataType"] == "Number.verified"
    assert {"watchbot.MessageId", "watchbot.Reason"} <= fields["MessageAttributes"].keys()


@pytest.mark.parametrize(("left", "kind"), [(9, "Number.verified"), (8, "Number")])
def test_a_full_letter_goes_without_the_note(left: int, kind: str) -> None:
    taken = len("watchbot.WebhookTime") + len("Number") + len("1700000000123")
    message = _message("b" * (SIZE_LIMIT - taken - left), _MARK)
    fields = dead_letter_fields(message, "x", fifo=False, verified=True)
    assert {name: one["DataType"] for name, one in fields["MessageAttributes"].items()} == {
        "watchbot.WebhookTime": kind
    }


def test_what_was_not_verified_gets_no_note() -> None:
    fields = dead_letter_fields(_message(attributes=_MARK), "x", fifo=False)
    assert fields["MessageAttributes"]["watchbot.WebhookTime"] == _MARK["watchbot.WebhookTime"]
