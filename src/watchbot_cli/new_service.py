"""A new service, made of the files of a template."""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
import unicodedata
from pathlib import Path

from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.output import talk

FILES = (
    ".gitignore",
    "README.md",
    "app.py",
    "cdk.json",
    "jobs.jsonl",
    "pyproject.toml",
    "requirements.txt",
    "tests/test_service.py",
    "tests/test_worker.py",
    "worker/Dockerfile",
    "worker/work.py",
)
"""What belongs to the template, whatever else lies beside it in a checkout."""

_PACKAGED = Path(__file__).parent / "_new_service"
_CHECKOUT = Path(__file__).parents[2] / "examples" / "new-service"
_NAME = "NewService"
_LONGEST_NAME = 64
_LET_BE = {".git"}


def init(folder: str) -> None:
    """Make the service in a folder that is not there yet, or has nothing in it but a Git repository.

    Raises :class:`CommandError`; then everything is as it was.
    """
    target = Path(folder)
    is_new = _check(target)
    name = stack_name(target.resolve().name)
    try:
        _make(target, name, is_new=is_new)
    except OSError as error:
        raise CommandError(f"{folder!r} could not be made, and nothing is left of it: {error.strerror}") from error
    _tell(target, name)


def stack_name(folder: str) -> str:
    """Make a stack's name of a folder's: words of A to Z and digits, the first of them a letter.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
    """
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode()
    name = "".join(word[:1].upper() + word[1:] for word in re.findall("[A-Za-z0-9]+", plain))
    return (name if name[:1].isalpha() else f"Service{name}")[:_LONGEST_NAME]


def _check(target: Path) -> bool:
    """Give whether the folder is to be made; raises :class:`UsageError` when something is in the way."""
    try:
        if not target.exists():
            if not target.parent.is_dir():
                raise UsageError(f"there is no folder {str(target.parent)!r} to make {target.name!r} in")
            return True
        if not target.is_dir():
            raise UsageError(f"{str(target)!r} is a file; init makes a folder")
        there = sorted(one.name for one in target.iterdir() if one.name not in _LET_BE)
    except OSError as error:
        raise UsageError(f"{str(target)!r} cannot be looked into: {error.strerror}") from error
    if there:
        more = ", …" if len(there) > 3 else ""
        raise UsageError(f"{str(target)!r} is not empty, it holds {', '.join(there[:3])}{more}: name a new folder")
    return False


def _make(target: Path, name: str, *, is_new: bool) -> None:
    """Write everything beside its place and then move it there; whatever happens, nothing or all of it is left."""
    moved: list[Path] = []
    if is_new:
        target.mkdir()
    try:
        with tempfile.TemporaryDirectory(prefix=".watchbot-init-", dir=target) as made:
            _write(Path(made), name)
            for one in Path(made).iterdir():
                moved.append(target / one.name)
                one.rename(target / one.name)
    except BaseException:
        for one in moved:
            shutil.rmtree(one, ignore_errors=True) if one.is_dir() else one.unlink(missing_ok=True)
        if is_new:
            target.rmdir()
        raise


def _write(folder: Path, name: str) -> None:
    template = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    for file in FILES:
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text((template / file).read_text("utf-8").replace(_NAME, name), "utf-8")


def _tell(target: Path, name: str) -> None:
    there = "" if target.resolve() == Path.cwd() else f"cd {shlex.quote(str(target))} && "
    say = talk()
    say.print(f"{name} is made; next:")
    for command in (
        f"{there}pip install --requirement requirements.txt",
        "watchbot local --send jobs.jsonl --until-empty",
        "python3 -m pytest",
    ):
        say.print(f"  {command}")
