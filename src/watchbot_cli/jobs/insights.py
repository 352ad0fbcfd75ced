"""A query of CloudWatch Logs Insights."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from watchbot_cli.errors import CommandError
from watchbot_cli.logs.line import Line
from watchbot_cli.output import progress
from watchbot_cli.patience import within

MOST_ROWS = 10_000
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetQueryResults.html"""

_UNDER_WAY = {"Scheduled", "Running", "Unknown"}
_STOP_SECONDS = 3.0
_PAUSES_SECONDS = (0.25, 0.5, 1.0)


class Insights:
    """Asks one log group, and stops a query that nobody waits for any more."""

    def __init__(self, logs: Any, log_group: str, console: Console, wait: Callable[[float], None]) -> None:
        self._logs = logs
        self._log_group = log_group
        self._console = console
        self._wait = wait

    def newest(self, pattern: str, prefix: str, since: int, until: int, limit: int) -> list[Line]:
        """Give the lines that match a regular expression between two times in seconds since 1970, newest first.

        Their streams' names begin with ``prefix``.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
        """
        streams = prefix.replace("/", r"\/")
        query = (
            "fields @timestamp, @message, @logStream, @ptr"
            f" | filter @logStream like /^{streams}/"
            f" | filter @message like /{pattern}/ | sort @timestamp desc | limit {limit}"
        )
        started = self._logs.start_query(
            logGroupName=self._log_group, startTime=since, endTime=until, queryString=query
        )
        query_id = started["queryId"]
        try:
            rows = self._results(query_id)
        except BaseException:
            # It goes on without us, and counts among those that an account may have at once.
            with contextlib.suppress(BotoCoreError, ClientError, TimeoutError):
                within(_STOP_SECONDS, lambda: self._logs.stop_query(queryId=query_id))
            raise
        return [_line({cell["field"]: cell.get("value", "") for cell in row}, prefix) for row in rows]

    def _results(self, query_id: str) -> list[list[dict[str, str]]]:
        pauses = list(_PAUSES_SECONDS)
        with progress(self._console) as bars:
            bar = bars.add_task("CloudWatch searches the log, lines so far", total=None)
            while True:
                answer = self._logs.get_query_results(queryId=query_id)
                if answer["status"] not in _UNDER_WAY:
                    break
                bars.update(bar, completed=int(answer.get("statistics", {}).get("recordsScanned", 0)))
                self._wait(pauses.pop(0) if len(pauses) > 1 else pauses[0])
        if answer["status"] != "Complete":
            raise CommandError(f"CloudWatch ended the search as {answer['status']}: look less far back with --since")
        rows: list[list[dict[str, str]]] = answer["results"]
        return rows


def _line(row: dict[str, str], watchers: str) -> Line:
    # In UTC: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
    time = datetime.datetime.fromisoformat(row["@timestamp"]).replace(tzinfo=datetime.UTC)
    return Line.of(
        {
            "eventId": row["@ptr"],
            "timestamp": round(time.timestamp() * 1000),
            "logStreamName": row["@logStream"],
            "message": row["@message"],
        },
        watchers,
    )
