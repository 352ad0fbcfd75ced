"""Looks the pinned packages up among known vulnerabilities, where a machine can.

Exit code 1 means that one of them is vulnerable. A machine from which no vulnerability service answers, or whose
package index knows nothing of vulnerabilities, says in one line what was not looked up, and fails no change.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

_PINS = ("requirements/dev.txt", "watcher/requirements.txt")
_OPTIONS = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "15", "--format", "json")
_PATIENCE_SECONDS = 300


def verdict(pins: str, dependencies: Iterable[Mapping[str, Any]]) -> tuple[bool, str]:
    """Judge what pip-audit has found of one file; return whether it passes, and a sentence about it."""
    found = list(dependencies)
    skipped = sum("skip_reason" in one for one in found)
    vulnerable = [
        f"{one['name']} {one['version']}: {', '.join(flaw['id'] for flaw in one['vulns'])}"
        for one in found
        if one.get("vulns")
    ]
    if vulnerable:
        return False, "\n  ".join(
            [f"audit of {pins}: {len(vulnerable)} packages have known vulnerabilities", *vulnerable]
        )
    if skipped == len(found):
        return True, f"audit of {pins} skipped: no vulnerability service that can be reached knows its packages"
    rest = f", {skipped} could not be looked up" if skipped else ""
    return True, f"audit of {pins}: {len(found) - skipped} packages without a known vulnerability{rest}"


def _audit(pins: str) -> tuple[bool, str]:
    command = [sys.executable, "-m", "pip_audit", *_OPTIONS, "--requirement", pins]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_SECONDS)
        return verdict(pins, json.loads(ran.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        why = f"no answer for {_PATIENCE_SECONDS} s"
    except ValueError:
        why = (ran.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
    return True, f"audit of {pins} skipped: {why}"


def main() -> int:
    """Audit every file of pins."""
    results = [_audit(pins) for pins in _PINS]
    for _, sentence in results:
        sys.stdout.write(f"{sentence}\n")
    return 0 if all(passes for passes, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
