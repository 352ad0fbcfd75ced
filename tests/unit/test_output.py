"""Output of workers that do not end their lines, in virtual time, through a real pipe."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.virtual_time import run_virtual
from watchbot.output import Output


class _Lines:
    """Takes lines with the time at which they come; raises, or refuses, where a test says so."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, str]] = []
        self.missing = 0
        self.open = True
        self.error: Exception | None = None

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.taken]

    def allows(self, size: int) -> bool:
        self._fail()
        return self.open

    def line(self, text: str) -> None:
        self._fail()
        self.taken.append((asyncio.get_running_loop().time(), text))

    def dropped(self, count: int) -> None:
        self._fail()
        self.missing += count

    def _fail(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error


class _Worker:
    """A worker's end of the pipe."""

    def __init__(self, writing: int) -> None:
        self._writing = writing

    async def says(self, text: bytes, *, then_waits: float = 0.01) -> None:
        os.write(self._writing, text)
        await asyncio.sleep(then_waits)


def _run(scenario: Callable[[_Worker, _Lines], Awaitable[None]]) -> _Lines:
    async def run() -> _Lines:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
        lines = _Lines()
        reading, writing = os.pipe()
        output = Output(reading, lines)
        await scenario(_Worker(writing), lines)
        os.close(writing)
        output.finish()
        return lines

    errors: list[BaseException] = []
    return run_virtual(run())


def test_a_prompt_appears_within_seconds_and_once() -> None:
    async def scenario(worker: _Worker, lines: _Lines) -> None:
        await worker.says(b"Continue? [y/N] ", then_waits=30)
        assert [(round(at), text) for at, text in lines.taken] == [(2, "Continue? [y/N] ")]
        await worker.says(b"\nyes\n")

    assert _run(scenario).texts == ["Continue? [y/N] ", "yes"]


def test_each_state_of_a_progress_bar_is_a_line_while_it_is_drawn() -> None:
    async def scenario(worker: _Worker, lines: _Lines) -> None:
        for percent in range(12):
            await worker.says(b"\r%d%% done" % percent, then_waits=0.5)
            assert lines.texts == [f"{shown}% done" for shown in range(percent)]
        await asyncio.sleep(2)
        assert lines.texts[-1] == "11% done"
        await worker.says(b"\rfinished\n")

    assert _run(scenario).texts == [*(f"{percent}% done" for percent in range(12)), "finished"]


def test_dots_without_an_end_appear_every_two_seconds() -> None:
    async def scenario(worker: _Worker, lines: _Lines) -> None:
        for _ in range(100):
            await worker.says(b".", then_waits=0.1)
        assert len(lines.taken) in (4, 5)

    assert "".join(_run(scenario).texts) == "." * 100


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"\r\n\r\n", ["", ""]),
        (b"one\rtwo\rthree", ["one", "two", "three"]),
        (b"one\r\r\ntwo", ["one", "two"]),
        (b"\r\r\r", []),
        (b"one\r", ["one"]),
        (b"\xe2\x82", ["\ufffd"]),
        (b"x" * 16_384 + b"\n", ["x" * 16_384]),
        (b"x" * 16_385 + b"\n", ["x" * 16_384, "x"]),
        (b"\xe2\x82\xac" * 10_000 + b"\n", ["\u20ac" * 5461, "\u20ac" * 4539]),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 3, 100_000])
def test_lines_are_the_same_however_they_arrive(written: bytes, lines: list[str], piece: int) -> None:
    async def scenario(worker: _Worker, _: _Lines) -> None:
        step = piece if len(written) < 100 else max(piece, 1_001)
        for start in range(0, len(written), step):
            await worker.says(written[start : start + step])

    assert _run(scenario).texts == lines


@pytest.mark.parametrize("pause", [0.01, 5.0])
def test_no_character_is_broken_wherever_it_is_cut(pause: float) -> None:
    text = "a\u00e9\u20ac\U0001f600" * 3

    async def scenario(worker: _Worker, _: _Lines) -> None:
        for byte in text.encode():
            await worker.says(bytes([byte]), then_waits=pause)

    assert "".join(_run(scenario).texts) == text


def test_a_worker_that_is_silent_never_wakes_the_loop() -> None:
    async def scenario(worker: _Worker, _: _Lines) -> None:
        for text in (b"line\n", b"prompt ", b"half \xe2\x82"):
            await worker.says(text, then_waits=10)
            loop = asyncio.get_running_loop()
            assert not [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]

    assert _run(scenario).texts == ["line", "prompt ", "half ", "\ufffd"]


def test_what_waits_is_held_while_the_log_is_full_and_comes_later() -> None:
    async def scenario(worker: _Worker, lines: _Lines) -> None:
        await worker.says(b"prompt")
        lines.open = False
        await asyncio.sleep(7)
        assert lines.texts == []
        lines.open = True
        await asyncio.sleep(2)
        assert lines.texts == ["prompt"]

    assert _run(scenario).texts == ["prompt"]


def test_lines_that_end_with_a_carriage_return_are_counted_and_found_again_after_a_flood() -> None:
    async def scenario(worker: _Worker, lines: _Lines) -> None:
        await worker.says(b"one\r")
        lines.open = False
        await worker.says(b"two\rthree\rfo")
        lines.open = True
        await worker.says(b"ur\rfive\r")

    lines = _run(scenario)
    assert (lines.texts, lines.missing) == (["one", "five"], 3)


@pytest.mark.parametrize("error", [RuntimeError, RecursionError, MemoryError, OSError])
@pytest.mark.parametrize("skipped", range(3))
def test_an_exception_costs_one_line_which_is_counted(error: type[Exception], skipped: int) -> None:
    async def scenario(worker: _Worker, lines: _Lines) -> None:
        await worker.says(b"first\n")
        lines.error = error()
        if skipped:
            await worker.says(b"line %d\n" % skipped)
        await worker.says(b"and\nmore\n")

    lines = _run(scenario)
    expected = ["first", *([f"line {skipped}"] if skipped else []), "and", "more"]
    assert len(lines.texts) + lines.missing == len(expected)
    assert lines.missing <= 1
    assert lines.texts[-1] == "more"
