"""Spans of time as they are typed: ``90s``, ``15m``, ``2h``, ``3d``."""

from __future__ import annotations

import re

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str) -> int:
    """Read a whole number with its unit into seconds, as the type of an option."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not a number with s, m, h or d behind it, such as 90s or 2h")
    return int(found[1]) * _SECONDS[found[2]]


def written(seconds: float) -> str:
    """Write a span of time with its largest whole unit."""
    whole = max(0, int(seconds))
    unit = next((name for name, size in reversed(_SECONDS.items()) if whole >= size), "s")
    return f"{whole // _SECONDS[unit]}{unit}"
