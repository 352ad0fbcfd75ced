"""One job: count the words of a text. The message is in the environment, the answer is the exit code."""

from __future__ import annotations

import json
import os
import sys

REJECTED = 3
"""No retry will help: the message is deleted. Any other code than 0 has it tried again, later."""


def count_words(message: str) -> int:
    return len(json.loads(message)["text"].split())


def main() -> int:
    try:
        words = count_words(os.environ["Message"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        print(f"this is no job: {error!r}", file=sys.stderr)
        return REJECTED
    print(f"{words} words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
