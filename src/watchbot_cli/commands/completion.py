"""``watchbot completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from watchbot_cli.errors import UsageError
from watchbot_cli.examples import Command

PROGRAM = "watchbot"
_ASKED = "_WATCHBOT_COMPLETE"
"""The variable by which a shell's script asks the program what could come next."""


@click.command(
    cls=Command,
    examples=(
        'eval "$(watchbot completion bash)"',
        "watchbot completion zsh > ~/.watchbot.zsh",
        "watchbot completion fish > ~/.config/fish/completions/watchbot.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that has a shell complete commands, options, choices and files.

    bash: put the first of the examples into ~/.bashrc. zsh: write the script into a file, and put "source" and that
    file into ~/.zshrc, behind compinit. fish: write it where it looks for completions.
    """
    # Imported late, because it loads what says everything else.
    from watchbot_cli.output import write

    complete = get_completion_class(shell)
    if complete is None:
        raise UsageError(f"this release of click completes nothing in {shell}")
    write(complete(ctx.find_root().command, {}, PROGRAM, _ASKED).source())
