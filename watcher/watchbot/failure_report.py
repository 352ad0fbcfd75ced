"""What people are told of a job that failed: text of a bounded size, in the order in which they ask."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.notice import JobFinished
from watchbot.opener import Opener
from watchbot.result import Result
from watchbot.settlement import DeadLetter, Delete, LetGo, Return, Settlement
from watchbot.sns import SUBJECT_LIMIT, Notification
from watchbot.task_log import stream_of
from watchbot.whereabouts import Whereabouts

_TEXT_BYTES = 4096
_OTHER_BYTES = 1024
"""A notification is for a person: of what a sender may make as large as SQS allows, the beginning is enough."""

_SENDERS = ("Message", "Subject", "MessageAttributes")
"""The variables that hold what the sender of a message wrote."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_WORDS = {
    Outcome.REJECTED: "rejected",
    Outcome.DEAD_LETTERED: "dead-lettered",
    Outcome.FAILED: "failed",
    Outcome.TIMED_OUT: "timed out",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A failed job in words; ``task`` is the ECS task whose log is still to be read, where there is one."""

    outcome: Outcome
    subject: str
    text: str
    task: str | None

    def notification(self, lines: Sequence[str], problem: str | None, left_out: Counter[Outcome]) -> Notification:
        """Add the last lines of the worker, or why there are none, and how many failures are told of nowhere else."""
        parts = [self.text, "Last lines of the worker:", *(f"  {_printable(line)}" for line in lines)]
        if problem is not None:
            parts.append(f"  (they could not be read: {_short(problem)})")
        elif not lines:
            parts.append("  (none)")
        if left_out:
            parts += ["", f"And {left_out.total()} more not sent: {_counts(left_out)}."]
        return Notification(self.subject, "\n".join(parts) + "\n")


def summary(service: str, left_out: Counter[Outcome]) -> Notification:
    """Tell of failures that no notification of their own was sent for."""
    count = left_out.total()
    text = (
        f"{_short(service)}: {count} more not sent: {_counts(left_out)}.\n\n"
        "Each of them is a line job.finished in the log of the service.\n"
    )
    return Notification(_subject(f"{service}: {count} more failed jobs", f"Watchbot: {count} more failed jobs"), text)


class Reporter:
    """Puts a failed job into words; without ``shows_bodies`` nothing of what the message's sender wrote.

    ``whereabouts`` are those of this watcher, where it is beside its workers.
    """

    def __init__(
        self,
        service: str,
        opener: Opener,
        whereabouts: Whereabouts | None,
        *,
        log_group: str | None,
        shows_bodies: bool,
        now: Callable[[], float],
    ) -> None:
        self.service = service
        self._opener = opener
        self._whereabouts = whereabouts
        self._log_group = log_group
        self._shows_bodies = shows_bodies
        self._now = now

    async def of(self, finished: JobFinished) -> Report:
        """Describe it, but for the worker's last lines."""
        result, message_id = finished.result, finished.message.message_id
        word = _WORDS.get(result.outcome, result.outcome.value)
        opened = await self._opener.open(finished.message)
        job = opened if isinstance(opened, Job) else Job(finished.message, finished.message.body)
        at = datetime.datetime.fromtimestamp(self._now(), datetime.UTC)
        sections = (
            [f"{_short(self.service)}: the job of message {message_id} {_verb(word)} at {at:%Y-%m-%d %H:%M:%S} UTC."],
            [f"{name}: {_short(value)}" for name, value in _what(result, finished.settlement).items()],
            ["Message:", *(f"  {line}" for line in self._message(job))],
            ["Where:", *[f"  {name}: {_short(value)}" for name, value in (await self._where(result)).items()]],
        )
        subject = _subject(
            f"{self.service}: job {word}, message {message_id}",
            f"{self.service}: job {word}",
            f"Watchbot: job {word}, message {message_id}",
        )
        text = "".join("\n".join(section) + "\n\n" for section in sections)
        return Report(result.outcome, subject, text.removesuffix("\n"), result.task)

    def _message(self, job: Job) -> Iterator[str]:
        variables = job.variables()
        variables.pop("MessageUrl", None)  # whoever has it can read the payload
        text = variables.pop("Message", None)
        for name, value in variables.items():
            if self._shows_bodies or name not in _SENDERS:
                yield f"{name}: {_short(value)}"
        if job.pointer is not None:
            yield f"Payload: {_short(str(job.pointer))}"
        if not self._shows_bodies:
            yield "Message: (not shown, because message bodies are not logged)"
        elif text is not None:
            stored = job.message.stored
            yield f"Message: {_cut(text, _TEXT_BYTES, None if stored is None else stored.text_bytes)}"

    async def _where(self, result: Result) -> Mapping[str, str]:
        task = result.task
        if task is None and self._whereabouts is not None:
            task = await self._whereabouts.task()
        places = {
            "Task": task,
            "Host": self._whereabouts.host if task is None and self._whereabouts is not None else None,
            "Log group": self._log_group,
            "Log stream": None if task is None or self._log_group is None else stream_of(task),
        }
        return {name: place for name, place in places.items() if place is not None}


def _what(result: Result, settlement: Settlement) -> dict[str, str]:
    said = {
        "Outcome": result.outcome.value,
        "Reason": result.reason,
        "Exit code": None if result.exit_code is None else str(result.exit_code),
        "Signal": result.signal,
        "Duration": f"{result.duration_seconds:.1f} s",
        "The message": _settled(settlement),
    }
    return {name: value for name, value in said.items() if value is not None}


def _settled(settlement: Settlement) -> str:
    match settlement:
        case Delete():
            return "deleted"
        case Return(delay_seconds):
            return f"returned to the queue, visible again after {delay_seconds} s"
        case DeadLetter(reason):
            return f"moved to the dead-letter queue: {reason}"
        case LetGo():
            return "left to the watcher that has its lease now"


def _verb(word: str) -> str:
    return f"was {word}" if word in ("rejected", "dead-lettered") else word


def _counts(outcomes: Counter[Outcome]) -> str:
    return ", ".join(f"{count} {_WORDS.get(outcome, outcome.value)}" for outcome, count in sorted(outcomes.items()))


def _subject(*candidates: str) -> str:
    """Take the first that fits, else the beginning of the last; SNS refuses other characters, and longer ones."""
    printable = [re.sub(r"[^\x20-\x7e]", "?", candidate) for candidate in candidates]
    return next((one for one in printable if len(one) <= SUBJECT_LIMIT), printable[-1][:SUBJECT_LIMIT])


def _short(text: str) -> str:
    return _cut(text, _OTHER_BYTES).replace("\n", " ")


def _cut(text: str, limit: int, size: int | None = None) -> str:
    """Return at most so many bytes of a text, in characters that a mail can carry, and add when that is not all.

    The ``size`` is that of the whole text, where this is only its beginning.
    """
    start = _printable(text[: limit + 1]).encode()
    if len(text) <= limit and len(start) <= limit and (size is None or size <= limit):
        return start.decode()
    size = len(text.encode(errors="replace")) if size is None else size
    return f"{start[:limit].decode(errors='ignore')} … (the first {limit} bytes of {size})"


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
