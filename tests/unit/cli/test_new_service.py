"""A new service is made whole or not at all, and never over what is there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.new_service import FILES, init, stack_name

TEMPLATE = Path(__file__).parents[3] / "examples" / "new-service"
_MADE_BY_RUNNING_IT = {"__pycache__", ".pytest_cache", "cdk.out"}


def _files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


def test_the_template_is_all_that_lies_there() -> None:
    there = {one for one in _files(TEMPLATE) if not _MADE_BY_RUNNING_IT & {*Path(one).parts}}
    assert there == {*FILES}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("thumbs", "Thumbs"),
        ("my-thumbs_v2", "MyThumbsV2"),
        ("Größe café", "GroeCafe"),
        ("3d", "Service3d"),
        ("日本", "Service"),
        ("-x", "X"),
        ("a" * 200, "A" + "a" * 63),
    ],
)
def test_any_folder_has_a_stack_name(folder: str, name: str) -> None:
    assert stack_name(folder) == name


@pytest.mark.parametrize("name", ["--app", "app 'x'", "stack", "ünï"])
def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    init(str(tmp_path / name))
    assert _files(tmp_path / name) == {*FILES}
    compile((tmp_path / name / "app.py").read_text(), "app.py", "exec")


def test_an_empty_folder_and_a_new_repository_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    init(".")
    assert _files(tmp_path) == {*FILES}


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("full", "'full' is not empty, it holds a, b, c, …: name a new folder"),
        ("file", "'file' is a file"),
        ("not/there", "there is no folder 'not' to make 'there' in"),
        ("file/x", "there is no folder 'file' to make 'x' in"),
    ],
)
def test_refuses_what_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    for name in "abcd":
        (tmp_path / "full" / name).touch()
    with pytest.raises(UsageError, match="^" + says.replace(".", r"\.")):
        init(folder)
    assert len(_files(tmp_path)) == 5


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize(("method", "successes"), [("write_text", 0), ("write_text", 10), ("rename", 0), ("rename", 5)])
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, successes: int, *, is_there: bool
) -> None:
    if is_there:
        (tmp_path / "new" / ".git").mkdir(parents=True)
    real, left = getattr(Path, method), [successes]

    def fails(path: Path, *arguments: Any) -> Any:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        return real(path, *arguments)

    monkeypatch.setattr(Path, method, fails)
    with pytest.raises(CommandError, match="could not be made, and nothing is left of it: No space left on device"):
        init(str(tmp_path / "new"))
    assert [one.name for one in tmp_path.rglob("*")] == (["new", ".git"] if is_there else [])
