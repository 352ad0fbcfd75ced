"""The floor: receive ten, start the command for each and wait for it, delete ten; nothing else, one after the other.

Run as ``python -m bench.spawn_loop QUEUE_URL COMMAND ARG…``.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import boto3


def main(queue_url: str, command: list[str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        sys.exit(f"command not found: {command[0]}")
    sqs: Any = boto3.client("sqs")
    while True:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        messages = answer.get("Messages", [])
        for message in messages:
            pid = os.posix_spawn(program, command, {**os.environ, "Message": message["Body"]})
            os.waitpid(pid, 0)
        if messages:
            entries = [{"Id": str(i), "ReceiptHandle": one["ReceiptHandle"]} for i, one in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
