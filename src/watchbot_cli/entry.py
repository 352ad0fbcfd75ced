"""Where ``watchbot`` begins: Ctrl-C ends a program that is only just loading, without a traceback."""

from __future__ import annotations

import signal


def main() -> None:
    """Load the command line and run it; until then Ctrl-C does what it does to programs that do not ask for it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from watchbot_cli.main import main as run

    run()
