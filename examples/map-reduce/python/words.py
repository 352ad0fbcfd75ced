"""Counts the words of a library's Python files: the message's subject says which step of the job this is.

Every step may be done again, or twice at once: it writes the same file, beside the others and then into place.
"""

from __future__ import annotations

import collections
import json
import os
import re
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchbot.progress import JobFailed, Part, map_reduce

LEFT_OUT = {"site-packages", "dist-packages", "test", "tests"}
WORD = re.compile(rb"[A-Za-z]+")
REJECTED = 3


def start(message: Mapping[str, Any]) -> None:
    """Note which files there are, and have them counted; a retry takes the list as it was, for the same parts."""
    files = folder(os.environ["MessageId"]) / "files"
    if not files.exists():
        write(files, "".join(f"{path}\n" for path in sorted(library_files(Path(message["library"])))))
    total, each = len(files.read_text().splitlines()), message["files_per_part"]
    parts = [{"first": first, "last": min(first + each - 1, total)} for first in range(1, total + 1, each)]
    map_reduce(parts, metadata={"parts": len(parts)})


def count(message: Mapping[str, Any]) -> None:
    """Count the words of one part's files; a file that is gone fails the job."""
    with Part(message, fail_job_on=FileNotFoundError) as part:
        here = folder(part.job_id)
        files = (here / "files").read_text().splitlines()[part.fields["first"] - 1 : part.fields["last"]]
        counts: collections.Counter[str] = collections.Counter()
        for file in files:
            counts.update(word.decode().lower() for word in WORD.findall(Path(file).read_bytes()))
        write(here / f"part-{part.part}", table(counts))
        print(f"part {part.part} is counted", flush=True)


def add_up(message: Mapping[str, Any]) -> None:
    """Put the counts of all parts together; without one of them the sum would be wrong."""
    here = folder(message["jobid"])
    parts = [here / f"part-{number}" for number in range(1, message["metadata"]["parts"] + 1)]
    lost = [part.name for part in parts if not part.exists()]
    if lost:
        sys.exit(f"the counts of {', '.join(lost)} are lost")
    totals: collections.Counter[str] = collections.Counter()
    for part in parts:
        for line in part.read_text().splitlines():
            times, word = line.split()
            totals[word] += int(times)
    print("all parts are counted", flush=True)
    write(here / "words", table(totals))


def library_files(library: Path) -> list[str]:
    found = (path for path in library.rglob("*.py") if path.is_file() and not path.is_symlink())
    return [str(path) for path in found if LEFT_OUT.isdisjoint(path.relative_to(library).parts)]


def table(counts: Mapping[str, int]) -> str:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"{times} {word}\n" for word, times in ranked)


def folder(job: str) -> Path:
    path = Path(os.environ["RESULTS"]) / job
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{uuid.uuid4()}")
    unfinished.write_text(text)
    unfinished.replace(path)


if __name__ == "__main__":
    step = {"start-job": start, "map": count, "reduce": add_up}[os.environ["Subject"]]
    try:
        step(json.loads(os.environ["Message"]))
    except (JobFailed, FileNotFoundError) as error:
        print(error, file=sys.stderr)
        sys.exit(REJECTED)
