"""Times and rates as people type them: 90, 60s, 5min, 3h; 5/min, 0.5/s."""

from __future__ import annotations

import re

from watchbot_cli.errors import UsageError

_UNITS = {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86_400.0, "day": 86_400.0}
_NUMBER = r"(\d+(?:\.\d+)?)"


def seconds_of(text: str, option: str) -> float:
    """Read a time; without a unit it is in seconds."""
    match = re.fullmatch(rf"{_NUMBER}\s*([a-z]*)", text.strip())
    if match is None or (match[2] or "s") not in _UNITS:
        raise UsageError(f"{option} must be a time such as 90, 60s, 5min or 3h, got {text!r}")
    return float(match[1]) * _UNITS[match[2] or "s"]


def per_second_of(text: str, option: str) -> float:
    """Read a rate above 0."""
    match = re.fullmatch(rf"{_NUMBER}\s*/\s*([a-z]+)", text.strip())
    if match is None or match[2] not in _UNITS or not float(match[1]):
        raise UsageError(f"{option} must be a rate above 0 such as 5/min, 0.5/s or 100/h, got {text!r}")
    return float(match[1]) / _UNITS[match[2]]


def spoken(seconds: float | None) -> str:
    """Say a time in the unit that suits it; a dash where there is none."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 3 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{round(seconds, 1):g} s"
