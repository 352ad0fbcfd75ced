"""The two queues of a service, as far as dead letters need them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from watchbot.contract import Description
from watchbot.dead_letter import SIZE_LIMIT
from watchbot_cli.batching import BATCH, batches
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.errors import CommandError
from watchbot_cli.session import Session

THREADS = 8
"""Calls at once: enough to be fast from far away, and few for SQS."""

_POLL_SECONDS = 1
"""A receive that does not wait asks some of SQS's servers only, and may miss messages.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""


class LetterQueue:
    """A dead-letter queue and the work queue that its letters came from."""

    def __init__(self, session: Session, service: Description) -> None:
        self.sqs: Any = session.client("sqs", connections=2 * THREADS)
        self.url = service.dead_letter_queue_url
        self.work_url = service.queue_url
        self._attributes = self._asked(self.url)

    @property
    def fifo(self) -> bool:
        """Whether order is kept."""
        return self._attributes.get("FifoQueue") == "true"

    @property
    def arn(self) -> str:
        """The dead-letter queue's ARN."""
        return self._attributes["QueueArn"]

    @property
    def work_arn(self) -> str:
        """The work queue's ARN."""
        return self._asked(self.work_url)["QueueArn"]

    def count(self) -> int:
        """About how many dead letters there are, those that somebody looks at included."""
        now = self._asked(self.url)
        return int(now["ApproximateNumberOfMessages"]) + int(now["ApproximateNumberOfMessagesNotVisible"])

    def receive(self, hidden_seconds: int) -> list[Letter]:
        """Take up to ten out of sight; none when there are no more to be had."""
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=hidden_seconds,
            WaitTimeSeconds=_POLL_SECONDS,
            # The name that every boto3 since 1.34 knows; newer ones call it MessageSystemAttributeNames.
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [Letter.from_sqs(one) for one in answer.get("Messages", [])]

    def hide(self, handles: Sequence[str], seconds: int) -> None:
        """Keep at most ten out of sight for so long from now; one that cannot be comes back by itself."""
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for number, handle in enumerate(handles)
        ]
        self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)

    def delete(self, letters: Sequence[Letter]) -> None:
        """Delete at most ten; raises :class:`CommandError` when one could not be."""
        entries = [{"Id": str(number), "ReceiptHandle": one.receipt_handle} for number, one in enumerate(letters)]
        for failed in self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries).get("Failed", []):
            letter = letters[int(failed["Id"])]
            raise CommandError(f"dead letter {letter.message_id} could not be deleted: {failed.get('Message')}")

    def send(self, letters: Sequence[Letter]) -> tuple[list[Letter], str | None]:
        """Send letters to the work queue: which SQS took, and why not all of them.

        With FIFO one call holds one letter of each group, and the first refusal ends it: an entry of a batch may fail
        while those behind it do not, and order would be lost.
        """
        taken: list[Letter] = []
        for batch in self._batches(letters):
            entries = [{"Id": str(number), **one.send_fields(fifo=self.fifo)} for number, one in enumerate(batch)]
            answer = self.sqs.send_message_batch(QueueUrl=self.work_url, Entries=entries)
            taken += [batch[int(line["Id"])] for line in answer.get("Successful", [])]
            for failed in answer.get("Failed", []):
                return taken, failed.get("Message") or failed.get("Code")
        return taken, None

    def _batches(self, letters: Sequence[Letter]) -> list[list[Letter]]:
        if not self.fifo:
            return list(batches(letters, lambda one: one.size, SIZE_LIMIT))
        turns: Counter[str | None] = Counter()
        rounds: dict[int, list[Letter]] = {}
        for letter in letters:
            turns[letter.group_id] += 1
            rounds.setdefault(turns[letter.group_id], []).append(letter)
        return [batch for one in rounds.values() for batch in batches(one, lambda letter: letter.size, SIZE_LIMIT)]

    def purge(self) -> None:
        """Have SQS delete everything, which may take it a minute.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html
        """
        self.sqs.purge_queue(QueueUrl=self.url)

    def _asked(self, url: str) -> dict[str, str]:
        # Standard queues refuse to be asked for FifoQueue by name.
        attributes: dict[str, str] = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return attributes
