"""The watcher's log lines: written by :class:`Journal`, read back by :func:`parse_line`.

Text, the default, keeps the shape that ecs-watchbot's users grep for::

    [Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [<MessageId>] job.finished {"outcome": "succeeded", …}
    [Fri, 09 Feb 2018 21:57:55 GMT] [worker] [<MessageId>] any line the worker wrote

JSON holds the same in one object a line. A worker's own JSON object is nested under ``worker`` as it was written; any
other line of a worker is the text in ``line``. So a worker can never overwrite ``time``, ``level`` or ``message_id``,
nor make a line that is not JSON. In either format a line holds no other line separator, since some readers end a line
at one.
"""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from watchbot.contract import Event, LogFormat
from watchbot.strict_json import dump, is_object, on_one_line, read_object

_WATCHER = "watcher"
_WORKER = "worker"
_AROUND = frozenset({"time", "source", "message_id", "level", "event"})

_TEXT_LINE = re.compile(
    r"\[(?P<date>[^]]+ GMT)\] \[(?P<source>watcher|worker)\](?: \[(?P<id>[^] ]+)\])? (?P<rest>.*)", re.DOTALL
)
_NESTED = re.compile(
    r'\{"time": "[^"]*", "source": "worker"(?:, "message_id": "(?:[^"\\]|\\.)*")?, "worker": (?P<text>.*)\}', re.DOTALL
)
_LINE_BREAK = re.compile("[\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]")


class Sink(Protocol):
    """Where finished lines go; must never block the event loop."""

    def __call__(self, line: str, /) -> None:
        """Take one line without its newline."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One line read back: an event of the watcher with its level and fields, or a line of a worker."""

    source: str
    message_id: str | None
    event: str | None
    fields: Mapping[str, Any]
    line: str
    level: str = "info"


class Journal:
    """Writes log lines in one of the two formats, with an injected wall clock (seconds since 1970).

    What workers wrote goes to ``worker_sink``, by default the same place. An event never raises: one that cannot be
    written is lost, and the log says so as soon as it can. A worker's line that cannot be written raises, because who
    passes it on counts what is missing.
    """

    def __init__(
        self, sink: Sink, log_format: LogFormat, now: Callable[[], float], worker_sink: Sink | None = None
    ) -> None:
        self._sinks = {_WATCHER: sink, _WORKER: sink if worker_sink is None else worker_sink}
        self._json = log_format is LogFormat.JSON
        self._now = now
        self._unwritten: str | None = None

    def event(self, event: Event, *, message_id: str | None = None, level: str = "info", **fields: Any) -> None:
        """Write an event of the watcher; fields that are None are left out."""
        try:
            if self._unwritten is not None:
                unwritten, self._unwritten = self._unwritten, None
                self._write_event(Event.WATCHER_BUG, None, "error", {"reason": unwritten})
            self._write_event(event, message_id, level, fields)
        except Exception as error:  # noqa: BLE001 - no caller can do better, and none may be stopped
            self._unwritten = f"a line {event.value} could not be written: {type(error).__name__}"

    def _write_event(self, event: Event, message_id: str | None, level: str, fields: Mapping[str, Any]) -> None:
        fields = {name: value for name, value in fields.items() if value is not None}
        if self._json:
            self._write_json(_WATCHER, message_id, {"level": level, "event": event.value, **fields})
            return
        shown = f" {dump(fields)}" if fields else ""
        mark = "" if level == "info" else f"[{level}] "
        self._write_text(_WATCHER, message_id, f"{mark}{event.value}{shown}")

    def worker_line(self, message_id: str, line: str) -> None:
        """Write one line that a worker wrote to its standard output or error."""
        if not self._json:
            self._write_text(_WORKER, message_id, line)
        elif line.lstrip(" \t").startswith("{") and is_object(line):
            head = dump(self._about(_WORKER, message_id)).removesuffix("}")
            self._sinks[_WORKER](f'{head}, "worker": {on_one_line(line)}}}')
        else:
            self._write_json(_WORKER, message_id, {"line": line})

    def _write_text(self, source: str, message_id: str | None, text: str) -> None:
        date = email.utils.formatdate(self._now(), usegmt=True)
        about = f" [{message_id}]" if message_id else ""
        line = f"[{date}] [{source}]{about} {text}"
        self._sinks[source](line if line.splitlines() == [line] else _LINE_BREAK.sub(_escaped, line))

    def _write_json(self, source: str, message_id: str | None, fields: Mapping[str, Any]) -> None:
        self._sinks[source](dump({**self._about(source, message_id), **fields}))

    def _about(self, source: str, message_id: str | None) -> dict[str, str]:
        time = datetime.datetime.fromtimestamp(self._now(), datetime.UTC)
        stamp = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        about = {"time": stamp, "source": source}
        return {**about, "message_id": message_id} if message_id else about


def parse_line(line: str) -> Entry | None:
    """Read a line that a :class:`Journal` wrote in either format; None when it is something else."""
    if line.startswith("{"):
        return _parse_json(line)
    match = _TEXT_LINE.fullmatch(line)
    if match is None:
        return None
    source, message_id, rest = match["source"], match["id"], match["rest"]
    if source == _WORKER:
        return Entry(source, message_id, None, {}, rest)
    mark = re.match(r"\[(debug|warning|error)\] ", rest)
    event, _, shown = rest[mark.end() if mark else 0 :].partition(" ")
    level = mark[1] if mark else "info"
    return Entry(source, message_id, event, (read_object(shown) or {}) if shown else {}, rest, level)


def _parse_json(line: str) -> Entry | None:
    fields = read_object(line)
    if fields is None:
        return None
    source, message_id = fields.get("source"), fields.get("message_id")
    if source not in (_WATCHER, _WORKER) or not isinstance(message_id, str | None):
        return None
    if source == _WORKER:
        nested = _NESTED.fullmatch(line)
        spoken = nested["text"] if nested else fields.get("line", "")
        return Entry(source, message_id, None, {}, spoken if isinstance(spoken, str) else dump(spoken))
    event, level = fields.get("event"), fields.get("level", "info")
    if not isinstance(event, str) or not isinstance(level, str):
        return None
    own = {name: value for name, value in fields.items() if name not in _AROUND}
    return Entry(source, message_id, event, own, line, level)


def _escaped(line_break: re.Match[str]) -> str:
    return line_break[0].encode("unicode_escape").decode()
