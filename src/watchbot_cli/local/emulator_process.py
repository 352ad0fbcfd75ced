"""The emulator's own process: ends with the one that started it, however that ended."""

from __future__ import annotations

import os
import sys
import threading

from ministack.app import main


def _end_with_parent() -> None:
    """Wait for the end of the pipe that only the parent holds open."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    main()
