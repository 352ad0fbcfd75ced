"""Dead letters go back as they were, and survive being written down."""

from __future__ import annotations

import json

from watchbot_cli.dead_letter.letter import Letter

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
