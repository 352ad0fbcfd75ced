from __future__ import annotations

import pytest

from watchbot.contract import Event, LogFormat
from watchbot.journal import Entry, Journal, parse_line
from watchbot.log_observer import LogObserver
from watchbot.message import Message
from watchbot.notice import Bug, JobStarted, Notice, QueueTrouble, Received

MESSAGE = Message("id", "handle", "body", {"ApproximateReceiveCount": "2"}, {}, 0)
STARTED = JobStarted(MESSAGE, 0, "the subject", "a\nb" + "x" * 5000)


def _written(
    *notices: Notice, bodies: bool = True, debug: bool = False, log_format: LogFormat = LogFormat.TEXT
) -> list[Entry]:
    lines: list[str] = []
    observe = LogObserver(Journal(lines.append, log_format, lambda: 0.0), lambda: 0.0, bodies=bodies, debug=debug)
    for notice in notices:
        observe(notice)
    assert not any("\n" in line for line in lines)
    entries = [parse_line(line) for line in lines]
    assert None not in entries
    return [entry for entry in entries if entry is not None]


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_a_line_shows_what_the_message_says_up_to_2048_characters(log_format: LogFormat) -> None:
    (entry,) = _written(STARTED, log_format=log_format)
    assert (entry.event, entry.message_id, entry.fields["receive_count"]) == (Event.JOB_STARTED, "id", 2)
    assert entry.fields["subject"] == "the subject"
    assert entry.fields["message"] == "a\nb" + "x" * 2045


def test_no_line_shows_what_a_message_says_when_bodies_are_off() -> None:
    (entry,) = _written(STARTED, bodies=False)
    assert entry.fields == {"receive_count": 2}


def test_a_message_with_half_a_character_is_shown_too() -> None:
    (entry,) = _written(JobStarted(MESSAGE, 0, None, "\ud83d"))
    assert entry.fields["message"] == "\ud83d"


def test_debug_shows_every_message_received_all_repeated_trouble_and_where_a_bug_is() -> None:
    notices: list[Notice] = [Received(MESSAGE), QueueTrouble("down"), QueueTrouble("down")]
    try:
        raise RuntimeError("here")
    except RuntimeError as error:
        notices.append(Bug(error))
    usual, detailed = _written(*notices), _written(*notices, debug=True)
    assert [entry.event for entry in usual] == [Event.QUEUE_ERROR, Event.WATCHER_BUG]
    assert "traceback" not in usual[-1].fields
    assert [entry.event for entry in detailed] == [
        Event.MESSAGE_RECEIVED,
        Event.QUEUE_ERROR,
        Event.QUEUE_ERROR,
        Event.WATCHER_BUG,
    ]
    assert 'raise RuntimeError("here")' in detailed[-1].fields["traceback"]
