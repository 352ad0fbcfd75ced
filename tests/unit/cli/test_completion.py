"""A shell completes what the program knows, and the program loads nothing heavy for it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _completed(*words: str) -> list[str]:
    """Ask a real bash, which has read the script, what it would offer for the last of these words."""
    typed = " ".join(map(shlex.quote, ("watchbot", *words)))
    script = f"""
        eval "$(watchbot completion bash)"
        complete -p watchbot > /dev/null || exit 9
        COMP_WORDS=({typed}); COMP_CWORD={len(words)}; compopt() {{ echo "from the shell: $2"; }}
        _watchbot_completion watchbot && printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    ran = subprocess.run(
        ["bash", "--norc", "-c", script], env=_ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["si"], ["simulate"]),
        (["dead-letter", "re"], ["redrive"]),
        (["send", "--attr"], ["--attribute"]),
        (["send", "--to", ""], ["topic", "queue"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["send", "--file", ""], ["from the shell: default", ""]),
    ],
)
def test_bash_completes_commands_options_choices_and_files(words: list[str], offered: list[str]) -> None:
    assert _completed(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script_that_it_can_read(shell: str) -> None:
    ran = subprocess.run(
        ["watchbot", "completion", shell], env=_ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert f"_WATCHBOT_COMPLETE={shell}_complete" in ran.stdout
    if shutil.which(shell):
        check = [shell, "--no-execute"] if shell == "fish" else [shell, "-n"]
        subprocess.run(check, input=ran.stdout, text=True, check=True)


def test_completing_loads_nothing_heavy() -> None:
    asked = {"_WATCHBOT_COMPLETE": "bash_complete", "COMP_WORDS": "watchbot send --", "COMP_CWORD": "2"}
    code = (
        "import atexit, sys; from watchbot_cli.main import main; sys.argv = ['watchbot']; heavy = ('boto3', 'rich'); "
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules])); main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**_ENVIRONMENT, **asked}, capture_output=True, text=True, check=True
    )
    assert "plain,--stack" in ran.stdout
    assert ran.stdout.endswith("[]\n")
