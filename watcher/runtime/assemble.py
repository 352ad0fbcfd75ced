"""Puts a CPython together that needs nothing of the system it runs on: no libc, no loader, no certificates.

    python3 assemble.py DIRECTORY --root DIRECTORY --packages DIRECTORY --report FILE --busybox FILE

It is made of the Python that runs this file, every shared library that it or its modules link to, and their dynamic
loader, which can be told where to look for libraries. glibc 2.34 is the first that resolves host names without
loading further libraries (https://sourceware.org/pipermail/libc-announce/2021/000032.html).
"""

from __future__ import annotations

import argparse
import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import hold_signals
from sbom import Copied, write_sbom

AWS_SERVICES = ("dynamodb", "ecs", "logs", "s3", "secretsmanager", "sns", "sqs")
"""What the watcher and its tools call; botocore describes 400 services more."""

_UNUSED_PACKAGES = [
    "__pycache__",
    "config-*",
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "turtle.py",
    "lib2to3",
    "ensurepip",
    "distutils",
    "pydoc_data",
    "sqlite3",
    "curses",
    "dbm",
    "venv",
    "msilib",
    "wsgiref",
    "xmlrpc",
    "lib-dynload",
    "sitecustomize.py",
]
_UNUSED_MODULES = re.compile(
    r"(_tkinter|_dbm|_gdbm|_curses|_curses_panel|readline|_sqlite3|nis|ossaudiodev|audioop|spwd|_crypt"
    r"|_test\w*|_xx\w*|xx\w*|_ctypes_test)\."
)
_NEEDED = re.compile(r"^\s*(?:\S+ => )?(/\S+|not found)", re.MULTILINE)
_OLDEST_GLIBC = (2, 34)


class AssemblyError(Exception):
    """The Python of this system cannot be made independent of it; the text says why."""


def assemble(target: Path, packages: Path, busybox: Path) -> list[Copied]:
    """Fill ``target`` with ``bin``, ``lib`` and, in the standard library's place, everything that can be imported.

    Return the binaries of this system that are in it.
    """
    _check_glibc()
    library, modules = target / "lib", target / "lib" / f"python{sysconfig.get_python_version()}"
    (target / "bin").mkdir(parents=True)
    copied = [
        _copy(busybox, target / "bin" / "busybox"),
        _copy(Path(sys.executable), target / "bin" / "python"),
    ]
    _write_hold_signals(target / "bin" / "hold-signals")
    shutil.copytree(sysconfig.get_path("stdlib"), modules, ignore=shutil.ignore_patterns(*_UNUSED_PACKAGES))
    dynamic = modules / "lib-dynload"
    dynamic.mkdir()
    modules_of_c = Path(sysconfig.get_path("platstdlib"), "lib-dynload").glob("*.so")
    copied += [_copy(one, dynamic / one.name) for one in modules_of_c if not _UNUSED_MODULES.match(one.name)]
    # Where the standard library is, so that a Python that skips its site module (-S) finds them too.
    shutil.copytree(packages, modules, ignore=_only_our_services, dirs_exist_ok=True)
    binaries = [target / "bin" / "python", *dynamic.glob("*.so")]
    copied += [_copy(needed, library / needed.name) for needed in _closure(binaries)]
    copied.append(_copy(_loader(target / "bin" / "python"), library / "ld.so"))
    _check_closed(library, binaries)
    compileall.compile_dir(modules, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return copied


def _write_hold_signals(file: Path) -> None:
    """Write the program that holds signals back, and run it: no service must start with one that does not work."""
    try:
        hold_signals.write(file)
    except KeyError as error:
        raise AssemblyError(f"there is no hold-signals for the machine {error}") from error
    shown = "import signal; print(sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))))"
    held = subprocess.run([file, sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout
    if held.strip() != str(list(hold_signals.SIGNALS)):
        raise AssemblyError(f"hold-signals held {held.strip()}")


def _check_glibc() -> None:
    found = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    version = tuple(map(int, re.findall(r"\d+", found or "")))
    if version < _OLDEST_GLIBC:
        raise AssemblyError(f"the base image must have glibc 2.34 or later, found {found or 'another libc'}")


def _only_our_services(directory: str, names: list[str]) -> list[str]:
    unused = [name for name in names if name in ("__pycache__", "bin")]
    if Path(directory).name == "data":
        unused += [name for name in names if Path(directory, name).is_dir() and name not in AWS_SERVICES]
    return unused


def _closure(binaries: Iterable[Path]) -> set[Path]:
    """List what these link to, directly or not, and what glibc itself loads when a thread ends."""
    found: set[Path] = set()
    for binary in binaries:
        listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
        needed = _NEEDED.findall(listed)
        if "not found" in needed:
            raise AssemblyError(f"{binary.name} needs a library that this image does not have:\n{listed}")
        found |= {Path(name) for name in needed}
    libc = next(path for path in found if path.name == "libc.so.6")
    at_thread_end = libc.with_name("libgcc_s.so.1")
    if not at_thread_end.exists():
        raise AssemblyError(f"there is no {at_thread_end}, which glibc loads when a thread ends")
    return {*(path for path in found if not path.name.startswith("ld-")), at_thread_end}


def _loader(python: Path) -> Path:
    listed = subprocess.run(["ldd", python], capture_output=True, text=True, check=True).stdout
    return next(path for path in map(Path, _NEEDED.findall(listed)) if path.name.startswith("ld-"))


def _check_closed(library: Path, binaries: Iterable[Path]) -> None:
    """Have our own loader find everything within ``library``, as it will have to elsewhere."""
    loader = [str(library / "ld.so"), "--inhibit-cache", "--library-path", str(library), "--list"]
    for binary in binaries:
        listed = subprocess.run([*loader, binary], capture_output=True, text=True, check=True).stdout
        # A library that is linked by its whole path would be the other system's.
        strays = [name for name in _NEEDED.findall(listed) if Path(name).parent != library and "ld-" not in name]
        if strays:
            raise AssemblyError(f"{binary.name} would load {', '.join(strays)}")


def _copy(source: Path, target: Path) -> Copied:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source.resolve(), target)
    return Copied(source, target)


def main() -> int:
    """Assemble what the command line says; 0 when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("--packages", type=Path, required=True, help="what pip install --target has filled")
    parser.add_argument("--root", type=Path, required=True, help="the image's root, in which its contents are listed")
    parser.add_argument("--report", type=Path, required=True, help="what pip install --report has written")
    parser.add_argument("--busybox", type=Path, required=True, help="a statically linked busybox")
    arguments = parser.parse_args()
    try:
        copied = assemble(arguments.target, arguments.packages, arguments.busybox)
        write_sbom(arguments.root, copied, arguments.packages, arguments.report)
    except AssemblyError as error:
        sys.stderr.write(f"assemble: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
