"""The two queues of a service, as far as dead letters need them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from watchbot.dead_letter import SIZE_LIMIT
from watchbot_cli.batching import BATCH, batches
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.errors import CommandError
from watchbot_cli.session import Session
from watchbot_cli.stack import Found

THREADS = 8
"""Calls at once: enough to be fast from far away, and few for SQS."""

_POLL_SECONDS = 1
"""A receive that does not wait asks some of SQS's servers only, and may miss messages.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
"""


_REFUSED = range(400, 500)
"""Statuses of an answer that says that nothing was done."""


@dataclasses.dataclass(frozen=True, slots=True)
class Handled:
    """What became of some letters: done, or in doubt because no answer says so; and what was the matter, if anything.

    The others were left alone.
    """

    done: list[Letter]
    doubtful: list[Letter] = dataclasses.field(default_factory=list)
    problem: Exception | None = None


class LetterQueue:
    """A dead-letter queue and the work queue that its letters came from."""

    def __init__(self, session: Session, found: Found) -> None:
        self.sqs: Any = session.client("sqs", connections=2 * THREADS)
        self.url = found.service.dead_letter_queue_url
        self.work_url = found.service.queue_url
        self.place = found.place
        self._state = found.state
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

    def check_takes_back(self) -> None:
        """Raise :class:`CommandError` when what the work queue takes would be lost with it."""
        self._state.check_stays("what its work queue takes now is lost")

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

    def delete(self, letters: Sequence[Letter]) -> Handled:
        """Delete at most ten."""
        entries = [{"Id": str(number), "ReceiptHandle": one.receipt_handle} for number, one in enumerate(letters)]
        try:
            answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            return Handled([], _doubtful(letters, error), error)
        done = [letters[int(line["Id"])] for line in answer.get("Successful", [])]
        for failed in answer.get("Failed", []):
            letter = letters[int(failed["Id"])]
            problem = CommandError(f"dead letter {letter.message_id} could not be deleted: {_why(failed)}")
            return Handled(done, problem=problem)
        return Handled(done)

    def send(self, letters: Sequence[Letter]) -> Handled:
        """Send letters to the work queue.

        With FIFO one call holds one letter of each group, and the first refusal ends it: an entry of a batch may fail
        while those behind it do not, and order would be lost.
        """
        taken: list[Letter] = []
        for batch in self._batches(letters):
            entries = [{"Id": str(number), **one.send_fields(fifo=self.fifo)} for number, one in enumerate(batch)]
            try:
                answer = self.sqs.send_message_batch(QueueUrl=self.work_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                return Handled(taken, _doubtful(batch, error), error)
            taken += [batch[int(line["Id"])] for line in answer.get("Successful", [])]
            for failed in answer.get("Failed", []):
                letter = batch[int(failed["Id"])]
                problem = CommandError(f"SQS does not take dead letter {letter.message_id} back: {_why(failed)}")
                return Handled(taken, problem=problem)
        return Handled(taken)

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


def _doubtful(letters: Sequence[Letter], error: BotoCoreError | ClientError) -> list[Letter]:
    """Give those that SQS may have done something with: all, unless it says that it has not."""
    answer = error.response if isinstance(error, ClientError) else {}
    is_refused = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") in _REFUSED
    return [] if is_refused else list(letters)


def _why(failed: Mapping[str, Any]) -> str:
    return str(failed.get("Message") or failed.get("Code"))
