from __future__ import annotations

import stat
from pathlib import Path

import pytest

from watchbot.install import InstallError, install


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    directory = tmp_path / "runtime"
    (directory / "bin").mkdir(parents=True)
    (directory / "start").write_text("start\n")
    program = directory / "bin" / "busybox"
    program.write_text("busybox\n")
    program.chmod(0o755)
    return directory


def test_the_runtime_is_copied_and_the_scratch_directory_is_every_users(runtime: Path, tmp_path: Path) -> None:
    target, scratch = tmp_path / "opt", tmp_path / "scratch"
    for directory in (target, scratch):
        directory.mkdir(mode=0o755)
    install(runtime, target, scratch)
    install(runtime, target, scratch)  # a task that is started again on the same volumes
    assert (target / "start").read_text() == "start\n"
    assert stat.S_IMODE((target / "bin" / "busybox").stat().st_mode) == 0o755
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o1777


def test_refuses_a_python_that_cannot_run_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="is not the runtime of the watcher image"):
        install(tmp_path, tmp_path / "opt", None)


def test_refuses_a_directory_that_it_cannot_fill(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallError, match=r"cannot install into .*file: "):
        install(runtime, tmp_path / "file", None)


def test_refuses_a_scratch_directory_that_is_not_there(runtime: Path, tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"cannot open .*none to every user: No such file"):
        install(runtime, tmp_path / "opt", tmp_path / "none")
