"""What ``watchbot jobs`` does."""

from __future__ import annotations

import time
from collections.abc import Sequence

from watchbot.contract import Outcome
from watchbot_cli.jobs.finished import Finished
from watchbot_cli.jobs.insights import Insights
from watchbot_cli.jobs.search import Span, newest_jobs
from watchbot_cli.logs.printing import time_of
from watchbot_cli.options import Target
from watchbot_cli.output import talk, write, write_json
from watchbot_cli.session import Session
from watchbot_cli.span import spoken
from watchbot_cli.stack import find_service
from watchbot_cli.terminal_text import one_line

_HEADS = ("MESSAGE ID", "STARTED", "OUTCOME", "DURATION", "EXIT", "RECEIVES", "TASK")


def run(target: Target, *, outcomes: frozenset[Outcome], since: float, limit: int, as_json: bool) -> int:
    """Print the jobs, newest first."""
    session = Session(target)
    service = find_service(session, target)
    console = talk()
    insights = Insights(session.client("logs"), service.log_group, console, time.sleep)
    now = time.time()
    span = Span(max(0, int(now - since)), int(now) + 1)
    found = newest_jobs(insights, service, span, outcomes, limit)
    if as_json:
        for job in found:
            write_json(job.document())
    elif found:
        _show_table(found)
    if not found:
        console.print(f"no such job ended in the last {spoken(since)}: see --since")
    if len(found) == limit:
        console.print(f"these are the last {limit}: there may be more, see --limit")
    return 0


def _show_table(jobs: Sequence[Finished]) -> None:
    rows = [_HEADS, *(tuple(map(one_line, _row(job))) for job in jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        write("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(job: Finished) -> tuple[str, ...]:
    cells = (job.exit_code, job.receive_count, job.task)
    exit_code, receives, task = ("-" if one is None else str(one) for one in cells)
    duration = spoken(job.duration_seconds)
    return (job.message_id, time_of(job.started_at_ms), job.outcome, duration, exit_code, receives, task)
