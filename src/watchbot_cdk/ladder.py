"""From a backlog to a number of watchers, in so few steps that one scaling policy holds them: values only."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

from aws_cdk import Tokenization

from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.metric_source import OUTSTANDING
from watchbot_cdk.scaling import MOST_WATCHERS, Scaling

MOST_STEPS = 20
"""https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html"""

_GROWTHS = (1.5, 1.6)
"""The first that needs no more steps than that is taken; 5,000 watchers take 20 with the last."""


@dataclasses.dataclass(frozen=True, slots=True)
class Backlog:
    """What waits or is worked on, in metric math over the series of OUTSTANDING: ``each`` of it for every watcher."""

    expression: str
    each: int
    most_watchers: float


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """So many watchers from one value of the backlog, inclusive, up to another, exclusive; None is no end."""

    lower: int
    upper: int | None
    watchers: float


def backlog_of(scaling: Scaling, workers: float) -> Backlog:
    """Say what is counted: messages, or where the number of workers is known only at deployment, watchers needed.

    A watcher is to have as many messages as its workers get done within the latency target, by default one each.
    """
    turns = scaling.jobs_in_turn
    if not is_deploy_time(workers):
        return Backlog(OUTSTANDING, math.floor(turns * int(workers)), scaling.max)
    needed = f"CEIL({OUTSTANDING} / ({Tokenization.stringify_number(workers)} * {float(turns):.12g}))"
    return Backlog(needed, 1, scaling.max)


def steps(scaling: Scaling, each: int) -> Sequence[Step]:
    """Give the steps from the first message on: never fewer watchers than it takes, up to the most there may be.

    A maximum known only at deployment is no step; Application Auto Scaling keeps to it in any case:
    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """
    lowest = 1 if is_deploy_time(scaling.lowest) else max(1, int(scaling.lowest))
    highest = MOST_WATCHERS if is_deploy_time(scaling.max) else int(scaling.max)
    numbers = rungs(lowest, highest)
    bounds = [1, *(number * each + 1 for number in numbers[:-1])]
    ends = [*bounds[1:], None]
    return [Step(*step) for step in zip(bounds, ends, numbers, strict=True)]


def rungs(lowest: int, highest: int) -> Sequence[int]:
    """Give numbers that grow by half each, or by a little more where more than 20 of them would be needed."""
    ladders = [list(_grown(lowest, highest, growth)) for growth in _GROWTHS]
    return next(ladder for ladder in ladders if len(ladder) <= MOST_STEPS)


def _grown(lowest: int, highest: int, growth: float) -> Iterator[int]:
    number = lowest
    while number < highest:
        yield number
        number = max(number + 1, math.floor(number * growth))
    yield highest
