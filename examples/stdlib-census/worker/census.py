"""One job: count the identifiers of the file named by the message, and write the result beside the others.

Some files fail on purpose the first time, as jobs do when something they need is away for a moment, and succeed on
the retry. One always fails and ends in the dead-letter queue.
"""

from __future__ import annotations

import collections
import io
import json
import keyword
import os
import sys
import tokenize
import zlib
from pathlib import Path

ALWAYS_FAILS = "antigravity.py"
FAILS_ONCE_IN = 25


def identifiers(source: bytes) -> dict[str, int]:
    """Count names that are no keywords, up to where the file stops being Python."""
    counts: collections.Counter[str] = collections.Counter()
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                counts[token.string] += 1
    except (tokenize.TokenError, SyntaxError):
        pass  # some of the library's own test files are broken on purpose
    return dict(counts)


def main() -> int:
    job = json.loads(os.environ["Message"])
    name = job["name"]
    if name == ALWAYS_FAILS:
        print(f"{name} cannot be counted", file=sys.stderr)
        return 1
    if os.environ["ApproximateReceiveCount"] == "1" and zlib.crc32(name.encode()) % FAILS_ONCE_IN == 0:
        return 1
    counts = identifiers(Path(job["path"]).read_bytes())
    results = Path(os.environ["RESULTS"])
    results.mkdir(parents=True, exist_ok=True)
    result = results / (name.replace(os.sep, "__") + ".json")
    # Written beside and moved into place: a job that is interrupted leaves no half result.
    unfinished = result.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(counts))
    unfinished.replace(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
