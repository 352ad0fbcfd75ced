"""Which of several Watchbots is meant."""

from __future__ import annotations

from collections.abc import Sequence

from watchbot_cli.errors import UsageError


def choose(names: Sequence[str], wanted: str | None, holder: str) -> list[str]:
    """Give the names that are meant: all of them, or the one with this construct id or whole path.

    Raises :class:`UsageError` when that is none or several; ``holder`` says what holds them.
    """
    if not names:
        raise UsageError(f"{holder} holds no Watchbot")
    chosen = [name for name in names if wanted in (None, name, name.rpartition("/")[2])]
    listed = ", ".join(names)
    if not chosen:
        raise UsageError(f"--service {wanted!r} is not in {holder}, which holds {listed}")
    if wanted is not None and len(chosen) > 1:
        raise UsageError(f"--service {wanted!r} is the id of several Watchbots, say which of {listed}")
    return chosen
