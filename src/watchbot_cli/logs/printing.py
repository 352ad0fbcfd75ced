"""Lines of a log for people, and for programs."""

from __future__ import annotations

import datetime
import os
from typing import Any

import click

from watchbot.contract import Event
from watchbot.journal import Entry
from watchbot.result import FAILURES
from watchbot.strict_json import dump
from watchbot.task_log import stream_of
from watchbot_cli.logs.line import Line
from watchbot_cli.output import data_is_on_a_terminal, write_as_it_is, write_json
from watchbot_cli.terminal_text import harmless

_SHORT = 8
_LEVELS = {"error": "red", "warning": "yellow"}


def show_json(line: Line) -> None:
    """Print everything about a line as one JSON object."""
    entry = line.entry
    document: dict[str, Any] = {"time": time_of(line.at), "stream": line.stream, "message": line.text}
    if entry is not None:
        document |= {"message_id": entry.message_id, "source": entry.source}
        if entry.event is not None:
            document |= {"level": entry.level, "event": entry.event, "fields": entry.fields}
    write_json(document)


def time_of(at: int) -> str:
    """Write a time in ms since 1970 in UTC."""
    time = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Printer:
    """Prints time, how the message's id begins, and what was written.

    A task's own lines say no id: it is that of the message that the task was started for, or as long as that is not
    known the task's. A terminal gets nothing of it that would steer it, a pipe what was written.
    """

    def __init__(self) -> None:
        self._is_terminal = data_is_on_a_terminal()
        self._colours = self._is_terminal and not os.environ.get("NO_COLOR")
        self._ids: dict[str, str] = {}

    def show(self, line: Line) -> None:
        """Print a line."""
        entry = line.entry
        if entry is not None and entry.event == Event.TASK_STARTED and entry.message_id is not None:
            self._ids[stream_of(str(entry.fields.get("task")))] = entry.message_id
        who = self._who(line)[:_SHORT]
        parts = (self._in(time_of(line.at), "bright_black"), self._in(f"{who:<{_SHORT}}", "cyan"), self._what(line))
        write_as_it_is("  ".join(parts))

    def _who(self, line: Line) -> str:
        if line.entry is not None and line.by_watcher:
            return line.entry.message_id or "-"
        claimed = None if line.entry is None else line.entry.message_id
        return self._ids.get(line.stream) or claimed or line.stream.rpartition("/")[2]

    def _what(self, line: Line) -> str:
        entry = line.entry
        if entry is None or entry.event is None:
            return self._in(line.text if entry is None else entry.line, None)
        return self._in(" ".join([entry.event, *_fields(entry)]), _colour(entry))

    def _in(self, text: str, colour: str | None) -> str:
        shown = harmless(text) if self._is_terminal else text
        return click.style(shown, fg=colour) if self._colours and colour else shown


def _fields(entry: Entry) -> list[str]:
    return [f"{name}={_value(value)}" for name, value in entry.fields.items()]


def _value(value: Any) -> str:
    is_word = isinstance(value, str) and value and not any(one.isspace() or one in '"=' for one in value)
    return value if is_word else dump(value)


def _colour(entry: Entry) -> str | None:
    if entry.event == Event.JOB_FINISHED:
        outcome = entry.fields.get("outcome")
        return "red" if outcome in FAILURES else "green" if outcome == "succeeded" else "yellow"
    return _LEVELS.get(entry.level)
