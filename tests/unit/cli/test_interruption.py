"""Ctrl-C ends the command line without a traceback, also while it is only loading."""

from __future__ import annotations

import signal
import subprocess
import sys

_INTERRUPTED = "os.kill(os.getpid(), signal.SIGINT)"
_WHILE_LOADING = f"""
import os, signal, sys

class Loading:
    def find_spec(self, name, *_):
        if name == "watchbot_cli.main":
            {_INTERRUPTED}

sys.meta_path.insert(0, Loading())
sys.argv = ["watchbot", "--version"]
from watchbot_cli.entry import main
main()
"""
_WHILE_RUNNING = f"""
import os, signal, sys
from watchbot_cli import entry, main
main.cli = lambda **_: {_INTERRUPTED}
entry.main()
"""


def _run(program: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", prelude + program], capture_output=True, text=True, check=False)


def test_ctrl_c_while_it_loads_ends_it_as_it_ends_any_program() -> None:
    ran = _run(_WHILE_LOADING)
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_while_it_runs_is_a_sentence() -> None:
    ran = _run(_WHILE_RUNNING)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "watchbot: interrupted\n")


def test_ctrl_c_stays_ignored_where_a_shell_had_it_ignored() -> None:
    ran = _run(_WHILE_LOADING, "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("watchbot, version ")
