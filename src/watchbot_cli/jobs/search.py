"""Finding the ends of jobs, and the tasks that their workers were."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from watchbot.contract import Description, Event, Isolation, Outcome
from watchbot_cli.jobs.finished import Finished
from watchbot_cli.jobs.insights import MOST_ROWS, Insights
from watchbot_cli.logs.wanted import watchers_prefix

_TEXT = r"\[[^\]]+\] \[watcher\] \[[^\]]+\] (\[[a-z]+\] )?EVENT \{"
_JSON = r'\{"time": "[^"]+", "source": "watcher", "message_id": "[^"]+", "level": "[a-z]+", "event": "EVENT"'


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """From when until when, in seconds since 1970."""

    since: int
    until: int


def newest_jobs(
    insights: Insights, service: Description, span: Span, outcomes: frozenset[Outcome], limit: int
) -> list[Finished]:
    """Give the jobs that ended last, newest first; of those whose task started before, the task is not known."""
    prefix = watchers_prefix(service.isolation)
    lines = insights.newest(event_pattern(Event.JOB_FINISHED, outcomes), prefix, span.since, span.until, limit)
    found = [job for job in map(Finished.of, lines) if job is not None]
    if service.isolation is not Isolation.TASK or not found:
        return found
    return _with_tasks(found, _starts(insights, prefix, span))


def event_pattern(event: Event, outcomes: Iterable[Outcome] = ()) -> str:
    """Make the regular expression of a watcher's line of this event in either format of the log."""
    either = f"^({_TEXT}|{_JSON})".replace("EVENT", event.value.replace(".", r"\."))
    chosen = "|".join(sorted(outcomes))
    return f'{either}.*"outcome": "({chosen})"' if chosen else either


def _starts(insights: Insights, prefix: str, span: Span) -> Mapping[str, Sequence[tuple[int, str]]]:
    starts = defaultdict(list)
    for line in insights.newest(event_pattern(Event.TASK_STARTED), prefix, span.since, span.until, MOST_ROWS):
        if line.entry is not None and line.entry.message_id is not None:
            task = str(line.entry.fields.get("task")).rpartition("/")[2]
            starts[line.entry.message_id].append((line.at, task))
    return starts


def _with_tasks(jobs: Iterable[Finished], starts: Mapping[str, Sequence[tuple[int, str]]]) -> list[Finished]:
    """Give each job the last task that was started for its message before it ended."""
    return [
        dataclasses.replace(
            job,
            task=max((one for one in starts.get(job.message_id, ()) if one[0] <= job.ended_at_ms), default=(0, None))[
                1
            ],
        )
        for job in jobs
    ]
