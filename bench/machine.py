"""Where and with what it was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
from typing import Any

from bench.contender import version_files


def facts() -> dict[str, Any]:
    """Give the machine, how busy it is, and the versions of everything that races."""
    versions = {name: importlib.metadata.version(name) for name in ("watchbot-runtime", "boto3", "ministack")}
    for name, file in version_files().items():
        if file.is_file():
            versions[name] = json.loads(file.read_text())["version"]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "versions": versions,
    }
