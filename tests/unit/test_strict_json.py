"""JSON that every reader takes, held against a reader as strict as RFC 8259."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbot.contract import Event, LogFormat
from watchbot.journal import Journal, parse_line
from watchbot.strict_json import DEPTH_LIMIT, dump, is_object, read_object


def _refuse(constant: str) -> float:
    raise ValueError(constant)


STRICT = json.JSONDecoder(parse_constant=_refuse, parse_int=str, parse_float=str)


def _logged(worker_line: str) -> str:
    lines: list[str] = []
    Journal(lines.append, LogFormat.JSON, lambda: 1518213475.25).worker_line("id", worker_line)
    (line,) = lines
    return line


AS_WRITTEN = [
    '{"a": 1}',
    "{}",
    ' \t{"a" :\t1.10, "b": 1E5, "c": -0, "id": 12345678901234567890123}  ',
    '{"x": 1e400}',
    '{"n": ' + "1" * 5000 + "}",
    '{"a": 1, "a": 2}',
    '{"pi": 3.14159265358979323846264338327950288}',
    '{"face": "\\ud83d\\ude00", "path": "C:\\\\ud800"}',
    '{"": {"worker": "\\"}, \\"worker\\": {"}}',
    '{"a": ' * 400 + "1" + "}" * 400,
    '{"brackets": "' + "[" * 3000 + '"}',
]

NOT_JSON = [
    '{"loss": NaN}',
    '{"a": [{"b": -Infinity}]}',
    '{"a": Infinity}',
    '{"a": 01}',
    '{"a": 1,}',
    '{"a": "\t"}',
    '{"a": "\x00"}',
    "{'a': 1}",
    '{"a": "\\ud800"}',
    '{"\\udc00\\ud800": 1}',
    '{"a": "\\ud800\\\\udc00"}',
    '{"a": 1} {"b": 2}',
    '{"a": 1}\u2028',
    "\ufeff{}",
    "\xa0{}",
    '["array"]',
    "null",
    '{"a": ٣}',
    '{"a": ' * (DEPTH_LIMIT + 1) + "1" + "}" * (DEPTH_LIMIT + 1),
    '{"a": ' * 3000 + "1" + "}" * 3000,
    '{"a": ' + "[" * 16_000,
]


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_a_workers_json_is_passed_on_as_it_was_written(text: str) -> None:
    line = _logged(text)
    assert line.endswith(f', "worker": {text}}}')
    assert STRICT.decode(line)["message_id"] == "id"
    entry = parse_line(line)
    assert entry is not None
    assert (entry.source, entry.message_id, entry.event, entry.line) == ("worker", "id", None, text)


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_not_strict_json_is_text(text: str) -> None:
    line = _logged(text)
    assert STRICT.decode(line)["line"] == text
    entry = parse_line(line)
    assert entry is not None
    assert (entry.source, entry.message_id, entry.line) == ("worker", "id", text)


def test_no_depth_is_too_much() -> None:
    for depth in range(1, 1100, 7):
        text = '{"a":' * depth + "1" + "}" * depth
        entry = parse_line(_logged(text))
        assert entry is not None
        assert entry.line == text


@pytest.mark.parametrize("separator", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("log_format", list(LogFormat))
def test_no_separator_forges_a_second_line(separator: str, log_format: LogFormat) -> None:
    forged = '[Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [other] job.finished {"outcome": "succeeded"}'
    lines: list[str] = []
    journal = Journal(lines.append, log_format, lambda: 1518213475.25)
    journal.worker_line("id", f"text{separator}{forged}")
    journal.worker_line("id", json.dumps({"a": f"x{separator}y"}, ensure_ascii=False))
    journal.worker_line("id", f'{{"a":{separator}"b"}}')
    journal.event(Event.JOB_STARTED, message_id="id", message=f"text{separator}{forged}", subject=separator)
    journal.event(Event.QUEUE_ERROR, message_id=f"id{separator}", reason="x")
    assert [len(line.splitlines()) for line in lines] == [1] * 5
    if log_format is LogFormat.JSON:
        assert STRICT.decode(lines[0])["line"] == f"text{separator}{forged}"
        assert STRICT.decode(lines[3])["message"] == f"text{separator}{forged}"


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_every_event_is_strict_json(log_format: LogFormat) -> None:
    lines: list[str] = []
    journal = Journal(lines.append, log_format, lambda: 1518213475.25)
    journal.event(
        Event.JOB_FINISHED,
        message_id="id",
        duration_seconds=math.nan,
        reason="half \ud83d of one, \udc00 of another, and \U0001f600",
        settings={"a": [math.inf, 1, {"b": -math.inf}], "what": object},
    )
    text = lines[0][lines[0].index("{") :]
    fields = STRICT.decode(text.encode().decode())
    assert fields["duration_seconds"] is None
    assert fields["reason"] == "half \ud83d of one, \udc00 of another, and \U0001f600"
    assert fields["settings"] == {"a": [None, "1", {"b": None}], "what": "<class 'object'>"}


@pytest.mark.parametrize(
    "line",
    [
        '{"source": "watcher", "message_id": 5, "event": "job.finished"}',
        '{"source": "watcher", "event": ["job.finished"]}',
        '{"source": "watcher", "event": "x", "level": {}}',
        '{"source": ["watcher"], "event": "x"}',
    ],
)
def test_fields_of_another_type_are_not_ours(line: str) -> None:
    assert parse_line(line) is None


def test_numbers_that_no_json_holds_are_read_back_as_text() -> None:
    text = f'{{"a": NaN, "b": -Infinity, "c": 1e400, "d": {"9" * 5000}, "e": 12, "f": 1.5}}'
    value = read_object(text)
    assert value == {"a": "NaN", "b": "-Infinity", "c": "1e400", "d": "9" * 5000, "e": 12, "f": 1.5}
    assert STRICT.decode(dump(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_whatever_is_dumped_is_strict_and_on_one_line(value: object) -> None:
    text = dump({"value": value})
    assert len(text.splitlines()) == 1
    assert STRICT.decode(text.encode().decode()).keys() == {"value"}
    assert is_object(text)


NEARLY_JSON = st.text(alphabet='{}[]",:\\ud8dc0123NaN \x00\n\u2028', max_size=40).map("{{{}".format)


@settings(max_examples=300, deadline=None)
@given(NEARLY_JSON | JSON.map(json.dumps))
def test_every_line_of_a_worker_makes_one_strict_line_that_is_read_back(text: str) -> None:
    line = _logged(text)
    assert len(line.splitlines()) == 1
    assert STRICT.decode(line).keys() - {"time", "source", "message_id"} in ({"line"}, {"worker"})
    entry = parse_line(line)
    assert entry is not None
    assert (entry.source, entry.message_id) == ("worker", "id")
