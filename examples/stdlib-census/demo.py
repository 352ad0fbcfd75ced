"""Runs the census over this machine's Python library and checks every result."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ALWAYS_FAILS = "antigravity.py"
LARGEST_BYTES = 40_000
SHOWN = 20


def library() -> dict[str, Path]:
    """The files of the standard library by their names in it; the largest would only make the demo longer."""
    root = Path(sysconfig.get_paths()["stdlib"])
    files = {str(path.relative_to(root)): path for path in sorted(root.rglob("*.py"))}
    return {
        name: path
        for name, path in files.items()
        if not name.startswith(("site-packages", "dist-packages")) and path.stat().st_size < LARGEST_BYTES
    }


def count(files: dict[str, Path], results: Path) -> dict[str, Any]:
    """Have every file counted by the service; gives the summary of the run."""
    lines = [
        json.dumps({"Subject": "count", "Message": {"name": name, "path": str(path)}}) for name, path in files.items()
    ]
    command = ["watchbot", "local", "--app", f"{sys.executable} {HERE / 'app.py'}"]
    ran = subprocess.run(
        [*command, "--send", "-", "--until-empty", "--json"],
        input="\n".join(lines),
        stdout=subprocess.PIPE,
        env={**os.environ, "CENSUS_RESULTS": str(results)},
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1) or not ran.stdout:
        sys.exit(f"the census did not run: watchbot local has ended with exit code {ran.returncode}")
    summary: dict[str, Any] = json.loads(ran.stdout)
    return summary


def problems(files: dict[str, Path], results: Path, summary: dict[str, Any]) -> list[str]:
    """What is not as it has to be: one dead letter, and a result for every other file."""
    dead = sorted(json.loads(letter["message"])["name"] for letter in summary["dead_letters"])
    found = {path.stem for path in results.glob("*.json")}
    expected = {name.replace(os.sep, "__") for name in files if name != ALWAYS_FAILS}
    wrong = [f"no result for {name}" for name in sorted(expected - found)]
    wrong += [f"a result that nobody asked for: {name}" for name in sorted(found - expected)]
    if dead != [ALWAYS_FAILS]:
        wrong.append(f"dead letters are {dead}, and should be {[ALWAYS_FAILS]}")
    return wrong


def show(results: Path, summary: dict[str, Any]) -> None:
    """Print the most frequent identifiers."""
    totals: collections.Counter[str] = collections.Counter()
    for path in results.glob("*.json"):
        totals.update(json.loads(path.read_text()))
    table = Table(title=f"the {SHOWN} most frequent identifiers of {len(list(results.iterdir()))} files")
    table.add_column("identifier")
    table.add_column("times", justify="right")
    table.add_column("")
    most = totals.most_common(SHOWN)
    for name, times in most:
        table.add_row(name, f"{times:,}", "█" * round(40 * times / most[0][1]))
    console = Console()
    console.print(table)
    console.print(
        f"{summary['sent']} messages, {summary['succeeded']} succeeded, {summary['retried']} runs retried, "
        f"{summary['dead_lettered']} dead-lettered on purpose; {summary['messages_per_second']} messages a second, "
        f"a job takes {summary['job_p50_seconds']} s (p50), {summary['job_p95_seconds']} s (p95)"
    )


def main() -> int:
    files = library()
    with tempfile.TemporaryDirectory(prefix="census-") as folder:
        results = Path(folder)
        summary = count(files, results)
        wrong = problems(files, results, summary)
        for problem in wrong:
            print(problem, file=sys.stderr)
        if wrong:
            return 1
        show(results, summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
