"""What ``watchbot logs`` does."""

from __future__ import annotations

import dataclasses
import time

from watchbot.contract import Description, Outcome
from watchbot_cli.logs.following import follow
from watchbot_cli.logs.log import Log
from watchbot_cli.logs.news import News
from watchbot_cli.logs.printing import Printer, show_json
from watchbot_cli.logs.wanted import Wanted, about, everything, finished
from watchbot_cli.options import Target
from watchbot_cli.output import talk
from watchbot_cli.session import Session
from watchbot_cli.span import spoken
from watchbot_cli.stack import find_service

_SINCE_SECONDS = 600.0
_SINCE_SECONDS_OF_MESSAGE = 86_400.0


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    message_id: str | None
    outcomes: frozenset[Outcome]
    since: float | None
    follow: bool
    as_json: bool

    @property
    def since_seconds(self) -> float:
        """How far to look back."""
        if self.since is not None:
            return self.since
        return _SINCE_SECONDS if self.message_id is None else _SINCE_SECONDS_OF_MESSAGE


def run(target: Target, asked: Asked) -> int:
    """Print the lines; following ends with Ctrl-C, which is what it is for and no failure."""
    asked_for = about(asked.message_id) if asked.message_id is not None else None
    session = Session(target)
    service = find_service(session, target)
    wanted = asked_for or _without_message(service, asked)
    log = Log(session.client("logs"), service.log_group, service.isolation)
    since = max(0, int((time.time() - asked.since_seconds) * 1000))
    news = News(log, wanted, since, time.time, asked.message_id)
    show = show_json if asked.as_json else Printer().show
    if asked.follow:
        try:
            follow(news, show, talk(), time.sleep)
        except KeyboardInterrupt:
            return 0
    count = 0
    for line in news.lines():
        show(line)
        count += 1
    if not count:
        span = spoken(asked.since_seconds)
        talk().print(f"the log {service.log_group} has no such line of the last {span}: see --since")
    return 0


def _without_message(service: Description, asked: Asked) -> Wanted:
    return finished(service.isolation, asked.outcomes) if asked.outcomes else everything()
