"""What top goes on showing, and how."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from rich.console import Console

from tests.unit.cli.snapshots import BUSY, IDLE, NOW, busy
from watchbot_cli.status.kept import Kept
from watchbot_cli.status.snapshot import Depth, Snapshot, Unreadable
from watchbot_cli.top.live_screen import LiveScreen
from watchbot_cli.top.seen import Seen
from watchbot_cli.top.watch import Watch

_LOST = Unreadable("AWS cannot be reached")


def _shown(screen: LiveScreen, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as capture:
        console.print(screen)
    return capture.get()


def test_what_was_read_stays_while_aws_cannot_be_reached_and_that_is_said_once() -> None:
    lost = busy(queue=_LOST, watchers=_LOST, alarms=Unreadable("AWS throttles DescribeAlarms"))
    seen = Seen.first(BUSY).then(lost)
    assert (seen.snapshot.queue, seen.snapshot.watchers) == (BUSY.queue, BUSY.watchers)
    assert seen.troubles == (
        "queue, watchers as read before: AWS cannot be reached",
        "alarms as read before: AWS throttles DescribeAlarms",
    )
    assert seen.troubles[0] in _shown(LiveScreen(seen, 5, NOW))
    assert seen.then(lost).snapshot.queue == BUSY.queue
    assert seen.then(IDLE).troubles == ()


def test_what_could_never_be_read_is_said_in_its_place() -> None:
    seen = Seen.first(busy(metrics=_LOST)).then(busy(metrics=_LOST))
    assert seen.troubles == ()
    assert "metrics  not readable: AWS cannot be reached" in _shown(LiveScreen(seen, 5, NOW))
    assert seen.then(BUSY).snapshot.metrics == BUSY.metrics


def test_an_answer_that_does_not_come_is_told() -> None:
    seen = Seen.first(BUSY)
    assert "has not answered" not in _shown(LiveScreen(seen, 5, NOW + timedelta(seconds=15)))
    assert "AWS has not answered for 40 s" in _shown(LiveScreen(seen, 5, NOW + timedelta(seconds=40)))


@pytest.mark.parametrize("width", [10, 30, 80])
def test_the_backlog_is_drawn_as_wide_as_the_terminal_allows(width: int) -> None:
    seen = Seen.first(IDLE)
    for depth in range(700):
        seen = seen.then(busy(queue=Depth(depth, 0, 0)))
    assert max(map(len, _shown(LiveScreen(seen, 5, NOW), width).splitlines())) <= width


def test_the_backlog_goes_from_nothing_to_the_most_there_was() -> None:
    seen = Seen.first(IDLE)
    for depth in (1, 8, 4):
        seen = seen.then(busy(queue=Depth(depth, 0, 0)))
    assert "since top began   ▁█▄\n" in _shown(LiveScreen(seen, 5, NOW))


def test_before_anything_is_read_that_is_said() -> None:
    assert _shown(LiveScreen(None, 5, NOW)) == "reading...\n"


def test_a_bug_in_the_reading_ends_the_showing() -> None:
    def broken() -> Snapshot:
        raise ZeroDivisionError

    watch = Watch(broken, 1)
    watch._run()
    with pytest.raises(ZeroDivisionError):
        _ = watch.seen


def test_metrics_are_read_once_a_minute_and_a_failure_is_not_kept() -> None:
    clock, reads = [0.0], [0]

    def read() -> int:
        reads[0] += 1
        if reads[0] == 1:
            raise OSError
        return reads[0]

    kept = Kept(read, 60, lambda: clock[0])
    with pytest.raises(OSError):  # noqa: PT011 - which one does not matter
        kept()
    assert (kept(), kept()) == (2, 2)
    clock[0] = 60
    assert kept() == 3
