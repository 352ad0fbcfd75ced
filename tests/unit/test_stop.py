"""Signals of the real program, which are blocked from its first line to its last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from watchbot.stop_signals import terminating_signals


def test_in_ecs_every_signal_that_a_stopsignal_may_name_drains() -> None:
    numbers = terminating_signals(in_ecs=True)
    for name in ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM"):
        assert getattr(signal, name) in numbers
    assert {signal.SIGRTMIN + 3, signal.SIGRTMAX} <= set(numbers)


def test_elsewhere_resizing_a_window_is_no_stop() -> None:
    assert signal.SIGWINCH not in terminating_signals(in_ecs=False)


PROGRAM = """
import asyncio, os, signal, sys
from watchbot.stop import Stop
from watchbot.stop_signals import terminating_signals

number = int(sys.argv[1])

async def scenario():
    stop = Stop()
{scenario}

asyncio.run(scenario())
os.kill(os.getpid(), number)
print("ended", flush=True)
os._exit(0)
"""


def _listens(scenario: str, number: int) -> str:
    """Run a scenario in a process of its own: a thread of the test runner's would take the signals of this one."""
    program = PROGRAM.format(scenario=textwrap.indent(textwrap.dedent(scenario), "    "))
    ran = subprocess.run(
        [sys.executable, "-c", program, str(int(number))], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


SIGNALS = [signal.SIGTERM, signal.SIGQUIT, signal.SIGRTMIN + 3]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_to_drain_and_the_second_to_hurry(number: int) -> None:
    """And a third, after the loop has been closed, does not end the program before it has said its last words."""
    said = _listens(
        """
            stop.listen(terminating_signals(in_ecs=True))
            os.kill(os.getpid(), number)
            await stop.requested.wait()
            assert not stop.hurried.is_set()
            os.kill(os.getpid(), number)
            await stop.hurried.wait()
            print("hurried")
        """,
        int(number),
    )
    assert said == "hurried\nended\n"


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGWINCH])
def test_a_signal_that_is_pending_when_the_program_begins_to_listen_is_taken(number: int) -> None:
    said = _listens(
        """
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            os.kill(os.getpid(), number)
            stop.listen(terminating_signals(in_ecs=True))
            print(stop.requested.is_set(), stop.hurried.is_set())
        """,
        int(number),
    )
    assert said == "True False\nended\n"


def _with_pending(number: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start the program with a signal pending from its very first instruction on."""

    def pend() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        os.kill(os.getpid(), number)

    return subprocess.run(
        [sys.executable, "-P", "-m", "watchbot", *arguments],
        env={"PATH": os.environ["PATH"], "WATCHBOT_QUEUE_URL": "http://127.0.0.1:9/1/q", "AWS_REGION": "eu-west-1"},
        preexec_fn=pend,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_first_line_ends_a_watcher_that_has_received_nothing(number: signal.Signals) -> None:
    ran = _with_pending(number, "listen", "--", "true")
    assert ran.returncode == 0, ran.stderr
    assert f'watcher.draining {{"reason": "signal {number.name}"}}' in ran.stdout
    assert "watcher.stopped" in ran.stdout
    assert "queue.error" not in ran.stdout  # no receive was tried


def test_a_signal_before_the_first_line_ends_an_installation_as_failed() -> None:
    assert _with_pending(signal.SIGTERM, "install", "/nowhere").returncode == 128 + signal.SIGTERM
