"""``python -m watchbot_cli`` is ``watchbot``."""

from __future__ import annotations

from watchbot_cli.entry import main

if __name__ == "__main__":
    main()
