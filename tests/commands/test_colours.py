"""Colours are for a terminal alone, and for nobody who has said NO_COLOR (https://no-color.org)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.operated import Operated
from tests.acceptance.terminal import Terminal

_COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:[34][0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")


@pytest.fixture
def drawing(operated: Operated, tmp_path: Path) -> list[str]:
    """A command that draws: a bar, while it sends."""
    file = tmp_path / "jobs.jsonl"
    file.write_text("job\n" * 300)
    return operated.command("send", "--file", str(file))


def test_a_bar_has_colours_in_a_terminal_but_not_with_no_color(operated: Operated, drawing: list[str]) -> None:
    for variables, is_coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        environment = {name: value for name, value in operated.environment().items() if name != "NO_COLOR"}
        with Terminal(drawing, {**environment, **variables}) as terminal:
            exit_code, shown = terminal.ends()
        assert exit_code == 0
        assert "sending" in shown
        assert bool(_COLOUR.search(shown)) is is_coloured


@pytest.mark.parametrize("arguments", [None, ["simulate", "--costs", "--duration", "1"], ["--help"]])
def test_what_is_piped_has_no_escape_in_it(operated: Operated, drawing: list[str], arguments: list[str] | None) -> None:
    command = drawing if arguments is None else [*drawing[:3], *arguments]
    ran = subprocess.run(command, env=operated.environment(TERM="xterm-256color"), capture_output=True, check=False)
    assert ran.returncode == 0
    assert b"\x1b" not in ran.stdout + ran.stderr
