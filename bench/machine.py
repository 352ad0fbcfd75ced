"""Where and with what it was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import resource
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def facts(distributions: Sequence[str], files: Mapping[str, Path]) -> dict[str, Any]:
    """Give the machine, and the versions of these Python distributions and of what these package.json are of."""
    versions = {name: importlib.metadata.version(name) for name in distributions}
    for name, file in files.items():
        if file.is_file():
            versions[name] = json.loads(file.read_text())["version"]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }


class OtherPrograms:
    """How much of the machine programs that are not ours use from now on: they make every figure worse."""

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._busy, self._ours = _busy_seconds(), _our_seconds()

    def share(self) -> float:
        """Give their share of all cores, once every process of ours has ended."""
        others = (_busy_seconds() - self._busy) - (_our_seconds() - self._ours)
        return max(0.0, others) / ((time.monotonic() - self._began_at) * (os.cpu_count() or 1))


def _busy_seconds() -> float:
    """Read what all cores have done: user, nice, system, irq, softirq; see proc_stat(5)."""
    fields = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
    return sum(fields[:3] + fields[5:7]) / os.sysconf("SC_CLK_TCK")


def _our_seconds() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
