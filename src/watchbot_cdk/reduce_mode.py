"""What was asked for jobs that are made of parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from watchbot_cdk.problems import kind_problems


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReduceMode:
    """A table in which workers keep which parts of a job are done, so that one of them is told that its was the last.

    :param point_in_time_recovery: keep what the table held at any time of the last 35 days; costs by its size. Without
        it a lost table loses the jobs under way: they are sent again.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
    """

    point_in_time_recovery: bool = False

    def kinds(self) -> Iterable[str]:
        """Say what is of another kind."""
        yield from kind_problems("reduce point_in_time_recovery", self.point_in_time_recovery, bool)


def reduce_kinds(reduce: object) -> Iterable[str]:
    """Say that this neither switches reduce mode on or off, nor says how."""
    if isinstance(reduce, ReduceMode):
        yield from reduce.kinds()
    elif not isinstance(reduce, bool):
        yield f"reduce must be True, False or a ReduceMode, got {reduce!r}"
