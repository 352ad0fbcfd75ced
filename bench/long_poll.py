"""The floor of waiting: a bare long poll that prints when it has received a message.

Run as ``python -m bench.long_poll QUEUE_URL``.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import boto3


def main(queue_url: str) -> None:
    sqs: Any = boto3.client("sqs")
    while True:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        received_at = time.time()
        for message in answer.get("Messages", []):
            print(f"{received_at:.6f}", flush=True)
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main(sys.argv[1])
