"""The reference of the command line is the one that the commands say."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from watchbot import __version__
from watchbot_cli.examples import Command, Group
from watchbot_cli.main import cli

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "cli_page.py"))
COMMANDS: dict[str, click.Command] = dict(SCRIPT["commands"]())
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_page_is_the_one_the_commands_say() -> None:
    assert SCRIPT["PAGE"].read_text() == SCRIPT["page"](), "run make cli-page"


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_and_option_has_help_and_every_command_examples(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    assert isinstance(command, Command | Group)
    assert command.examples
    for parameter in command.params:
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


@pytest.mark.parametrize("path", ["watchbot", *sorted(COMMANDS)])
@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_every_command_says_what_it_does_in_whole_sentences_and_shows_examples(path: str, asked: str) -> None:
    ran = CliRunner().invoke(cli, [*path.split()[1:], asked], prog_name="watchbot")
    assert ran.exit_code == 0
    assert ran.output.startswith(f"Usage: {path} ")
    assert "\nExamples:\n  " in ran.output
    assert "..." not in ran.output.replace("]...", "").replace("[ARGS]...", ""), "a sentence is cut off"


def test_the_version_is_the_runtimes() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output == f"watchbot, version {__version__}\n"


def _typed() -> list[str]:
    lines = [line for page in PAGES for line in page.read_text().splitlines() if not line.startswith("|")]
    return sorted({found for line in lines for found in re.findall(r"(?:^|\| )(watchbot [a-z].*)", line)})


@pytest.mark.parametrize("line", _typed())
def test_every_command_in_the_docs_can_be_typed(line: str) -> None:
    words = shlex.split(line.partition(" | ")[0], comments=True)[1:]
    words = words[: words.index(">")] if ">" in words else words
    command: click.Command = cli
    while isinstance(command, click.Group):
        is_named = words[0] in command.commands
        command = command.commands[words.pop(0) if is_named else "triage"]
    command.make_context(line, words)
