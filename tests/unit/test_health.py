from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.simulation.virtual_time import run_virtual
from watchbot.health import Health


def test_the_file_is_touched_at_once_and_for_as_long_as_the_loop_turns(tmp_path: Path) -> None:
    file = tmp_path / "health"

    async def check() -> None:
        health = asyncio.create_task(Health(str(file)).run())
        await asyncio.sleep(1)
        os.utime(file, (0, 0))
        await asyncio.sleep(31)
        assert file.stat().st_mtime > 0
        file.unlink()
        await asyncio.sleep(31)
        assert file.exists()
        health.cancel()

    run_virtual(check())


def test_a_directory_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    async def check() -> None:
        health = asyncio.create_task(Health(str(tmp_path / "none" / "health")).run())
        await asyncio.sleep(100)
        assert not health.done()
        health.cancel()

    run_virtual(check())
