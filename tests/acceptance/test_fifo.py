"""A FIFO queue with the real program."""

from __future__ import annotations

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues


def test_a_failure_in_the_middle_of_a_group_is_overtaken_by_nobody(fifo_queues: Queues) -> None:
    fifo_queues.send("a1", "a2", "a3", "a4", group="a")
    fifo_queues.send("b1", "b2", group="b")
    script = 'echo "$Message"; test "$Message$ApproximateReceiveCount" != a21'
    with Program(fifo_queues, script, workers="10") as program:
        program.says("a4")
        program.says("b2")
        program.hears("job.finished", 7)
        spoken = program.spoken
    assert [line for line in spoken if line[0] == "a"] == ["a1", "a2", "a2", "a3", "a4"]
    assert [line for line in spoken if line[0] == "b"] == ["b1", "b2"]
    assert fifo_queues.waiting() == (0, 0)
    assert fifo_queues.dead_letters() == []


def test_a_dead_letter_of_a_fifo_queue_keeps_its_group(fifo_queues: Queues) -> None:
    fifo_queues.send("a1", "a2", group="a")
    with Program(fifo_queues, 'test "$Message" != a1 || exit 5') as program:
        program.hears("job.finished", 2)
    (letter,) = fifo_queues.dead_letters()
    assert letter["Body"] == "a1"
    assert fifo_queues.waiting() == (0, 0)
