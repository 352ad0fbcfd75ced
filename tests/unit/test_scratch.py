from __future__ import annotations

import os
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

from watchbot.scratch import Scratch, ScratchSpace

NOBODY = 65534


def test_a_deep_tree_that_a_job_left_is_removed(tmp_path: Path) -> None:
    space = ScratchSpace(str(tmp_path))
    scratch = space.lend()
    dig(scratch.directory, 1_500)
    try:
        space.take_back(scratch, run_now)
        assert not Path(scratch.directory).exists()
    finally:
        subprocess.run(["rm", "-rf", scratch.directory], check=True)


def test_directories_that_a_job_made_read_only_are_removed(tmp_path: Path) -> None:
    def job(scratch: Scratch) -> None:
        module = Path(scratch.directory, "module")
        module.mkdir()
        module.joinpath("file").touch()
        module.chmod(0o555)

    def promise(space: ScratchSpace, scratch: Scratch) -> None:
        del space
        assert not Path(scratch.directory).exists()

    assert unprivileged(tmp_path, job, promise) == 0


def test_a_job_that_closes_the_directory_above_its_own_stops_no_later_one(tmp_path: Path) -> None:
    def job(scratch: Scratch) -> None:
        Path(scratch.directory).parent.chmod(0)

    def promise(space: ScratchSpace, scratch: Scratch) -> None:
        del scratch
        space.lend()

    assert unprivileged(tmp_path, job, promise) == 0


def unprivileged(parent: Path, job: Callable[[Scratch], None], promise: Callable[[ScratchSpace, Scratch], None]) -> int:
    """Lend, let the job do its worst, take back and look, as a user whom permissions bind; 0 when all is well."""
    parent.chmod(0o1777)
    # The folders above may be closed to that user, a folder that is open already is not.
    here = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    child = os.fork()
    if child == 0:
        try:
            os.fchdir(here)
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            space = ScratchSpace(".")
            scratch = space.lend()
            job(scratch)
            space.take_back(scratch, run_now)
            promise(space, scratch)
        except BaseException:  # noqa: BLE001 - the child must never return into pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(here)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_now(removal: Callable[[], None]) -> None:
    removal()


def dig(directory: str, depth: int) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=descriptor)
        deeper = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = deeper
    os.close(descriptor)
