from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.simulation.virtual_time import run_virtual
from watchbot.coalescer import Coalescer


class Sent:
    """What was sent when, and the errors to answer with."""

    def __init__(self, **errors: Exception) -> None:
        self.batches: list[tuple[float, list[str]]] = []
        self._errors = errors

    async def __call__(self, entries: Sequence[str]) -> list[Exception | None]:
        self.batches.append((asyncio.get_running_loop().time(), list(entries)))
        if "everything" in self._errors:
            raise self._errors["everything"]
        return [self._errors.get(entry) for entry in entries]


def test_ten_go_at_once_and_the_rest_after_the_linger() -> None:
    async def scenario() -> Sent:
        sent = Sent()
        coalescer = Coalescer[str](sent, 0.1)
        await asyncio.gather(*(coalescer.add(str(number)) for number in range(25)))
        return sent

    batches = run_virtual(scenario()).batches
    assert [(round(at, 3), len(entries)) for at, entries in batches] == [(0, 10), (0, 10), (0.1, 5)]


def test_without_linger_each_goes_at_once() -> None:
    async def scenario() -> Sent:
        sent = Sent()
        coalescer = Coalescer[str](sent, 0)
        await asyncio.gather(coalescer.add("a"), coalescer.add("b"))
        return sent

    assert [entries for _, entries in run_virtual(scenario()).batches] == [["a"], ["b"]]


def test_each_entry_gets_its_own_error() -> None:
    async def scenario() -> list[BaseException | None]:
        coalescer = Coalescer[str](Sent(b=ValueError("b")), 0.1)
        return await asyncio.gather(*(coalescer.add(one) for one in "abc"), return_exceptions=True)

    assert [type(answer) for answer in run_virtual(scenario())] == [type(None), ValueError, type(None)]


def test_a_call_that_fails_is_the_answer_for_all_of_its_batch() -> None:
    async def scenario() -> list[BaseException | None]:
        coalescer = Coalescer[str](Sent(everything=OSError("down")), 0.1)
        return await asyncio.gather(*(coalescer.add(one) for one in "ab"), return_exceptions=True)

    assert [type(answer) for answer in run_virtual(scenario())] == [OSError, OSError]


def test_a_flush_waits_for_no_company() -> None:
    async def scenario() -> float:
        coalescer = Coalescer[str](Sent(), 10)
        adding = asyncio.create_task(coalescer.add("a"))
        await asyncio.sleep(0)
        coalescer.flush()
        await adding
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario()) == pytest.approx(0)
