"""Data goes to standard output whatever standard error is, and steers no terminal, in every command."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest

from tests.acceptance.letters import envelope, log, put
from tests.acceptance.operated import Operated
from tests.acceptance.terminal import Terminal
from watchbot_cli.main import cli

_HOSTILE = "good\r\x1b]52;c;ZXZpbA==\x07\x1b]0;PWNED\x07\x1b[2J\x1b[8m\u009b8m\u202e [red]x[/] end"
_STEERS = ("\x1b]", "\x07", "\x1b[2J", "\x1b[8m", "\u009b", "\u202e")

_DATA = {
    "completion": ["bash"],
    "dead-letter list": [],
    "dead-letter show": ["m-0"],
    "dead-letter export": ["-"],
    "dead-letter redrive": ["--dry-run"],
    "dead-letter delete": ["--match", "good", "--dry-run"],
    "dead-letter purge": ["--dry-run", "--json"],
    "dead-letter import": ["FILE", "--dry-run", "--json"],
    "logs": [],
    "send": ["x", "--json"],
    "simulate": ["--costs", "--duration", "1"],
    "status": [],
}
"""What is typed for a command that prints data here, where there is no ECS."""

_NO_DATA = {
    "dead-letter triage": "asks, and has a test of its own here",
    "init": "writes files",
    "jobs": "CloudWatch Logs Insights is not here",
    "local": "prints its summary once no bar is shown",
    "pause": "there is no ECS service here",
    "resume": "there is no ECS service here",
    "run": "its worker has the terminal",
    "top": "needs a terminal for its data",
    "worker-capacity": "there is no ECS service here",
}


def _commands(group: click.Group, *path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, *path, name)
        else:
            yield " ".join((*path, name))


def test_every_command_is_among_them() -> None:
    assert sorted(_commands(cli)) == sorted([*_DATA, *_NO_DATA])


def _typed(operated: Operated, name: str, folder: Path) -> list[str]:
    file = folder / "dead.jsonl"
    file.write_text('{"letter_id": "l", "body": "hello"}\n')
    arguments = [*name.split(), *(str(file) if one == "FILE" else one for one in _DATA[name])]
    command = operated.command(*arguments)
    return command[: command.index("--stack")] if name in ("completion", "simulate") else command


def _split(command: Sequence[str], environment: Mapping[str, str]) -> tuple[str, str]:
    """Run a command with a terminal as all its streams but standard output; gives what came out of either."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(ours, 65_536):
                shown.append(data)
        except OSError:  # the other end has closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    ran = subprocess.run(command, env=environment, stdin=theirs, stdout=-1, stderr=theirs, check=False, timeout=100)
    os.close(theirs)
    reader.join()
    os.close(ours)
    return ran.stdout.decode(), b"".join(shown).decode(errors="replace")


def _filled(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, envelope(_HOSTILE, Subject=_HOSTILE), reason="\u009b2J\u202e [/]")
    log(operated.emulator, plain, {"watchbot/worker/abc": [_HOSTILE]})


def _same(text: str) -> str:
    """Leave out what is other each time: ages, times and how often it was looked at."""
    return re.sub(r"[0-9]+(\.[0-9]+)?", "n", re.sub(r" +$", "", re.sub(r"\x1b\[[0-9;]*m", "", text), flags=re.M))


@pytest.mark.parametrize("name", _DATA)
def test_data_goes_to_standard_output_and_steers_no_terminal(operated: Operated, name: str, tmp_path: Path) -> None:
    _filled(operated)
    command = _typed(operated, name, tmp_path)
    environment = operated.environment(TERM="xterm-256color", COLUMNS="120")
    piped = subprocess.run(command, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    data = piped.stdout.decode()
    assert (piped.returncode, bool(data)) == (0, True), piped.stderr
    with_terminal, talk = _split(command, environment)
    assert _same(with_terminal) == _same(data)
    coloured = subprocess.run(
        command, env={**environment, "FORCE_COLOR": "1"}, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )
    assert _same(coloured.stdout.decode()) == _same(data)
    assert b"\x1b" not in coloured.stderr
    with Terminal(command, environment) as terminal:
        exit_code, shown = terminal.ends()
    assert exit_code == 0
    assert not [one for one in _STEERS if one in talk + shown + ("" if name == "logs" else data)]
    if name in ("dead-letter list", "dead-letter show", "logs"):
        assert r"\x1b]0;PWNED\x07" in shown
        assert "[red]x[/] end" in shown


def test_logs_in_a_pipe_are_as_they_were_written(operated: Operated) -> None:
    _filled(operated)
    assert _HOSTILE in _split(operated.command("logs"), operated.environment())[0]


def test_triage_and_the_logs_of_a_letter_steer_no_terminal(operated: Operated) -> None:
    _filled(operated)
    with Terminal(operated.command("dead-letter"), operated.environment()) as terminal:
        shown = terminal.answers("What next?", "t")
        shown += terminal.answers("What next?", "d")
        shown += terminal.answers("[y/N]:", "n")
        shown += terminal.answers("What next?", "q")
        shown += terminal.ends()[1]
    assert not [one for one in _STEERS if one in shown]
    assert r"\x1b]0;PWNED\x07" in shown
