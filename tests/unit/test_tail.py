from __future__ import annotations

from watchbot.tail import OutputTails, Tail


class Log:
    def __init__(self) -> None:
        self.taken: list[str | int] = []

    def allows(self, size: int) -> bool:
        return size < 100

    def line(self, text: str) -> None:
        self.taken.append(text)

    def dropped(self, count: int) -> None:
        self.taken.append(count)


def test_the_last_twenty_lines_are_kept() -> None:
    tail = Tail()
    for number in range(100):
        tail.add(str(number))
    assert tail.lines() == [str(number) for number in range(80, 100)]


def test_long_lines_are_cut_and_many_of_them_are_fewer() -> None:
    tail = Tail()
    for number in range(100):
        tail.add(f"{number}" + "x" * 16_000)
    assert tail.lines()[-1].startswith("99xxx")
    assert sum(map(len, tail.lines())) <= 8192


def test_lines_go_into_the_log_and_their_tail_goes_with_its_job() -> None:
    log, tails = Log(), OutputTails()
    lines = tails.tailing(lambda message_id: log)("m-1")
    lines.line("one")
    lines.dropped(7)
    lines.line("two")
    assert (lines.allows(99), lines.allows(100)) == (True, False)
    assert log.taken == ["one", 7, "two"]
    assert tails.take("m-1") == ["one", "[7 lines over the log rate are missing here]", "two"]
    assert tails.take("m-1") == []


def test_a_worker_started_again_begins_a_new_tail() -> None:
    tails = OutputTails()
    of_job = tails.tailing(lambda message_id: Log())
    of_job("m-1").line("first")
    of_job("m-1").line("second")
    assert tails.take("m-1") == ["second"]
