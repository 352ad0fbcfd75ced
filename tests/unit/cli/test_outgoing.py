from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchbot_cli.errors import UsageError
from watchbot_cli.sending.destination import Destination, to_topic
from watchbot_cli.sending.outgoing import Reader

TOPIC = to_topic(fifo=False)
SIZE_LIMIT = TOPIC.size_limit


def _read(
    tmp_path: Path, *lines: str | bytes | dict[str, Any], to: Destination = TOPIC, **defaults: Any
) -> list[dict[str, Any]]:
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    file = tmp_path / "jobs.jsonl"
    file.write_bytes(b"\n".join(text.encode() if isinstance(text, str) else text for text in texts))
    return [message.fields for message in Reader(to, defaults).lines(str(file), "--file")]


def test_a_line_of_text_is_the_message_and_empty_lines_are_none(tmp_path: Path) -> None:
    lines = ["one", "", "  ", "two\r", '{"no": "message"}', "{broken", "[1]"]
    assert [fields["Message"] for fields in _read(tmp_path, *lines)] == [
        "one",
        "two",
        '{"no": "message"}',
        "{broken",
        "[1]",
    ]


def test_only_a_newline_ends_a_line_and_a_byte_order_mark_is_none_of_it(tmp_path: Path) -> None:
    found = _read(tmp_path, b'\xef\xbb\xbf{"Message": "one"}', "two\rthree", "four\u2028five")
    assert [fields["Message"] for fields in found] == ["one", "two\rthree", "four\u2028five"]


def test_an_object_holds_what_publish_takes_and_its_message_may_be_any_json(tmp_path: Path) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "x"},
        "raw": {"DataType": "Binary", "BinaryValue": "AP8="},
    }
    found = _read(
        tmp_path,
        {"Message": {"ä": [1, None]}, "Subject": "s", "MessageAttributes": attributes},
        {"Message": None, "Subject": None, "MessageGroupId": "fair"},
    )
    assert found == [
        {
            "Message": '{"ä": [1, null]}',
            "Subject": "s",
            "MessageAttributes": {**attributes, "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
        },
        {"Message": "null", "MessageGroupId": "fair"},
    ]


def test_a_fifo_topic_gets_one_group_and_takes_equal_lines_as_two_messages(tmp_path: Path) -> None:
    lines: list[str | dict[str, Any]] = ["same", "same", {"Message": "x", "MessageGroupId": "g"}]
    found = _read(tmp_path, *lines, to=to_topic(fifo=True), MessageGroupId="local")
    assert [fields["MessageGroupId"] for fields in found] == ["local", "local", "g"]
    assert len({fields["MessageDeduplicationId"] for fields in found}) == 3


def test_the_size_limit_counts_bytes_and_attributes(tmp_path: Path) -> None:
    attributes = {"n": {"DataType": "String", "StringValue": "v"}}
    fits = "é" * ((SIZE_LIMIT - 8) // 2)
    assert len(_read(tmp_path, {"Message": fits, "MessageAttributes": attributes})) == 1
    with pytest.raises(UsageError, match=f"line 1: is {SIZE_LIMIT + 1} bytes, and SNS takes at most {SIZE_LIMIT}"):
        _read(tmp_path, {"Message": fits + "x", "MessageAttributes": attributes})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"\xff", "is not UTF-8: invalid start byte at byte 0"),
        (r'{"Message": "\ud800"}', "half a character"),
        ({"Message": ""}, "empty Message"),
        ({"Message": "x", "Subjekt": "y"}, "has Subjekt; allowed are Message, Subject"),
        ({"Message": "x", "Subject": "two\nlines"}, "1 to 100 printable characters"),
        ({"Message": "x", "Subject": "s" * 101}, "1 to 100 printable characters"),
        ({"Message": "x", "Subject": 5}, "has the Subject 5"),
        ({"Message": "x", "MessageGroupId": 5}, "has the MessageGroupId 5"),
        ({"Message": "x", "MessageDeduplicationId": "d"}, "only FIFO"),
        ({"Message": "x", "MessageAttributes": "a"}, "must be an object of attributes by name"),
        ({"Message": "x", "MessageAttributes": {"a b": {}}}, "names are 1 to 256 letters"),
        ({"Message": "x", "MessageAttributes": {"a": {"DataType": "Wrong", "StringValue": "b"}}}, "DataType 'Wrong'"),
        ({"Message": "x", "MessageAttributes": {"a": "b"}}, "the message attribute a as 'b'"),
        ({"Message": "x", "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "?"}}}, "is not base64"),
    ],
)
def test_refuses_what_sns_would_refuse_and_names_the_line(
    tmp_path: Path, line: str | bytes | dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as refused:
        _read(tmp_path, "good", line)
    assert "and nothing was:\nline 2: " in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_refuses_a_message_with_a_number_that_json_lacks(tmp_path: Path, number: str) -> None:
    with pytest.raises(UsageError, match="line 1: has a Message with NaN or Infinity in it"):
        _read(tmp_path, f'{{"Message": {{"loss": [{number}]}}}}')


def test_refuses_with_the_first_ten_of_many_problems(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        _read(tmp_path, *[{"Message": ""}] * 12)
    assert str(refused.value).count("line ") == 10
    assert str(refused.value).endswith("and 2 more")
