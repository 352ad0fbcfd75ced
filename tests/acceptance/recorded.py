"""An app that is synthesised once, however many commands ask for its output: starting jsii costs seconds."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


def recorded(folder: Path) -> str:
    """Synthesise the folder's ``app.py`` for real; gives the command that gives its output again."""
    environment = {**os.environ, "CDK_OUTDIR": str(folder / "cdk.out")}
    subprocess.run([sys.executable, "app.py"], cwd=folder, env=environment, check=True)
    copy = f'cp -r {shlex.quote(str(folder / "cdk.out"))}/. "$CDK_OUTDIR"'
    return shlex.join(["sh", "-c", copy])
