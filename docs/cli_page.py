"""Writes the reference of the command line from the commands' own help.

``python docs/cli_page.py`` writes docs/reference/cli.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from watchbot_cli.examples import Command, Group
from watchbot_cli.main import cli
from watchbot_cli.options import service_options

PAGE = Path(__file__).parent / "reference" / "cli.md"

_INTRODUCTION = """\
<!-- Written by docs/cli_page.py (make cli-page) from the commands: change their help instead. -->

# The command `watchbot`

Data goes to standard output, everything else to standard error; colours only to a terminal, and not with `NO_COLOR`.
Exit codes: 0 done, 1 failed, 2 asked for something that cannot be. Whatever is the matter is said in a sentence.

Commands about a deployed service need its stack's name, and read the rest from the stack's output. They take AWS's own
settings (`AWS_PROFILE`, `AWS_REGION`, …) and have these options:
"""
_TABLE = "| option | meaning |\n| --- | --- |\n"


def page() -> str:
    """Write the page."""
    shared = _shared()
    parts = [_INTRODUCTION, "\n", _table(shared)]
    names: set[str | None] = {option.name for option in shared}
    parts += [_section(path, command, names) for path, command in commands()]
    return "".join(parts)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Give every command with what is typed to get it, groups before what is in them."""
    yield from _commands("watchbot", cli)


def _commands(path: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(f"{path} {name}", command)


def _shared() -> list[click.Option]:
    command = click.command()(service_options(lambda: None))
    return [one for one in command.params if isinstance(one, click.Option)]


def _section(path: str, command: click.Command, shared: set[str | None]) -> str:
    options = [one for one in command.params if isinstance(one, click.Option)]
    # Only a command about a service has the options of such; another may have one of their names for itself.
    is_about_service = any(one.name == "stack" for one in options)
    own = [one for one in options if not (is_about_service and one.name in shared)]
    arguments = "".join(f" {one.make_metavar(click.Context(command))}" for one in command.params if one not in options)
    parts = [f"\n{'#' * min(len(path.split()), 3)} {path}{arguments}\n\n", *_paragraphs(command.help or "")]
    parts += [_table(own), "\n"] if own else []
    assert isinstance(command, Command | Group)  # noqa: S101 - a test holds it
    return "".join([*parts, "```sh\n", *(f"{line}\n" for line in command.examples), "```\n"])


def _paragraphs(text: str) -> list[str]:
    return [f"{' '.join(paragraph.split())}\n\n" for paragraph in text.split("\n\n")]


def _table(options: list[click.Option]) -> str:
    return _TABLE + "".join(f"| {_typed(option)} | {_meaning(option)} |\n" for option in options)


def _typed(option: click.Option) -> str:
    metavar = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('x')))}"
    return f"`{', '.join(sorted(option.opts, key=len, reverse=True))}{metavar}`".replace("|", "\\|")


def _meaning(option: click.Option) -> str:
    text = (option.help or "").removesuffix(".")
    needed = "; required" if option.required else ""
    default = f"; by default `{option.default}`" if option.show_default else ""
    return f"{text}{needed}{default}".replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page())
