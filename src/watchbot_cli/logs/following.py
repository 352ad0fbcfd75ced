"""Looking at a log again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from watchbot_cli.logs.line import Line
from watchbot_cli.logs.news import News
from watchbot_cli.refusal import is_passing, refusal_of

_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
"""How often all of an account may ask together is limited.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
"""


def follow(news: News, show: Callable[[Line], None], console: Console, wait: Callable[[float], None]) -> NoReturn:
    """Show what comes until interrupted; a throttle or a network that is lost is told once and waited out."""
    pause = _PAUSE_SECONDS
    while True:
        try:
            for line in news.lines():
                show(line)
            pause = _PAUSE_SECONDS
        except (BotoCoreError, ClientError) as error:
            if not is_passing(error):
                raise
            if pause == _PAUSE_SECONDS:
                console.print(f"{refusal_of(error)}; trying again")
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        wait(pause)
