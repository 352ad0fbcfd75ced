from __future__ import annotations

import asyncio
import os
import signal

import pytest

from watchbot.stop import Stop, terminating_signals


def test_in_ecs_every_signal_that_a_stopsignal_may_name_drains() -> None:
    numbers = terminating_signals(in_ecs=True)
    for name in ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM"):
        assert getattr(signal, name) in numbers
    assert {signal.SIGRTMIN + 3, signal.SIGRTMAX} <= set(numbers)


def test_elsewhere_resizing_a_window_is_no_stop() -> None:
    assert signal.SIGWINCH not in terminating_signals(in_ecs=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGRTMIN + 3])
def test_the_first_signal_asks_to_drain_and_the_second_to_hurry(number: int) -> None:
    async def scenario() -> None:
        stop = Stop()
        stop.listen(terminating_signals(in_ecs=True))
        os.kill(os.getpid(), number)
        await stop.requested.wait()
        assert not stop.hurried.is_set()
        os.kill(os.getpid(), number)
        await stop.hurried.wait()

    asyncio.run(scenario())
