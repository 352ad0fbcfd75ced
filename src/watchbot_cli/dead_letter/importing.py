"""Exported letters sent to the work queue."""

from __future__ import annotations

import threading

from botocore.exceptions import BotoCoreError, ClientError

from watchbot.dead_letter import SIZE_LIMIT
from watchbot_cli.batching import batches
from watchbot_cli.consent import ask
from watchbot_cli.crew import Crew
from watchbot_cli.dead_letter.exported import read_letters
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.dead_letter.letter_queue import THREADS, LetterQueue
from watchbot_cli.errors import CommandError
from watchbot_cli.output import talk, write_json
from watchbot_cli.sending.sender import written_ranges


def import_letters(
    queue: LetterQueue, file: str, *, trust_unverified: bool, dry_run: bool, yes: bool, as_json: bool
) -> int:
    """Send what was exported to the work queue, all lines checked before any is sent."""
    letters = read_letters(file, fifo=queue.fifo, trust_unverified=trust_unverified)
    if dry_run:
        if as_json:
            write_json({"can_be_sent": len(letters)})
        else:
            talk().print(f"{len(letters)} dead letters can be sent")
        return 0
    queue.check_takes_back()
    ask(f"Send {len(letters)} dead letters to the work queue of {queue.place}?", yes=yes)
    sending = _Sending(queue)
    ended = sending.run(letters)
    sending.tell(len(letters), as_json=as_json)
    if ended is not None:
        raise ended
    return 0


class _Sending:
    """Sends letters, and knows at any time the lines of those that were sent, and of those that may have been."""

    def __init__(self, queue: LetterQueue) -> None:
        self._queue = queue
        self._crew = Crew(1 if queue.fifo else THREADS, "import")
        self._lock = threading.Lock()
        self._sent: list[int] = []
        self._doubtful: list[int] = []
        self._under_way: set[int] = set()

    def run(self, letters: list[tuple[int, Letter]]) -> Exception | None:
        """Send all of them; gives what was the matter, which is told after what was sent."""
        waiting = batches(letters, lambda one: one[1].size, SIZE_LIMIT)

        def step() -> bool:
            with self._lock:
                batch = next(waiting, None)
            if batch is not None:
                self._send(batch)
            return batch is not None

        try:
            self._crew.run(step)
        except KeyboardInterrupt:
            with self._lock:
                self._doubtful += self._under_way  # SQS has not answered, and may take them yet
            return CommandError("interrupted")
        except (BotoCoreError, ClientError, CommandError) as error:
            return error
        return None

    def tell(self, count: int, *, as_json: bool) -> None:
        """Say which lines were sent."""
        sent, doubtful = written_ranges(self._sent), written_ranges(self._doubtful)
        console = talk()
        if as_json:
            write_json({"returned": len(self._sent), "of": count, "lines": sent, "doubtful_lines": doubtful})
        elif len(self._sent) == count:
            console.print(f"{count} dead letters returned to the work queue")
        else:
            console.print(
                f"{len(self._sent)} of {count} dead letters returned to the work queue: lines {sent or 'none'}"
            )
        if doubtful:
            console.print(f"lines {doubtful} may have been sent: no answer came")

    def _send(self, batch: list[tuple[int, Letter]]) -> None:
        numbers = {id(letter): number for number, letter in batch}
        with self._lock:
            self._under_way |= {*numbers.values()}
        handled = self._queue.send([letter for _, letter in batch])
        with self._lock:
            self._under_way -= {*numbers.values()}
            self._sent += [numbers[id(letter)] for letter in handled.done]
            self._doubtful += [numbers[id(letter)] for letter in handled.doubtful]
        if handled.problem is not None:
            raise handled.problem
