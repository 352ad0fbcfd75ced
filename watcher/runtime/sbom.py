"""Writes down what the watcher image is made of, where scanners look for it.

``usr/share/watchbot/sbom.cdx.json`` lists every package as CycloneDX does (https://cyclonedx.org/docs/1.5/json/); the
Debian packages are in ``var/lib/dpkg/status.d`` and the release in ``etc/os-release`` as well, as in images of Google's
distroless project, because a scanner that finds no ``dpkg`` reports nothing of OpenSSL or glibc.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
import subprocess
import sys
import urllib.parse
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

SBOM = Path("usr/share/watchbot/sbom.cdx.json")


@dataclasses.dataclass(frozen=True)
class Copied:
    """A file of the base image, and where it is in ours."""

    source: Path
    target: Path


def write_sbom(root: Path, copied: Iterable[Copied], packages: Path, report: Path) -> None:
    """Write the bill of materials of an image whose files are in ``root``.

    ``report`` is what ``pip install --report`` has written of what it has put into ``packages``.
    """
    debian: dict[str, list[Path]] = {}
    components = [*_of_pip(packages, json.loads(report.read_text()))]
    interpreter: list[Path] = []
    for file in sorted(copied, key=lambda one: one.target):
        place = Path("/", file.target.relative_to(root))
        owner = _debian_owner(file.source)
        if owner is not None:
            debian.setdefault(owner, []).append(place)
        elif file.source.resolve().is_relative_to(Path(sys.base_prefix).resolve()):
            interpreter.append(place)
        else:
            components.append(_of_file(file.source, place))
    components.append(_of_interpreter(interpreter))
    for package, files in debian.items():
        components.append(_of_debian(_stanza(package), files))
        _write(root / "var/lib/dpkg/status.d" / package.partition(":")[0], _status(package))
    release = Path("/etc/os-release")
    if debian and release.exists():
        _write(root / "etc/os-release", release.read_text())
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "watchbot", "bom-ref": "watchbot"}},
        "components": sorted(components, key=lambda one: (one["name"], str(one["bom-ref"]))),
    }
    _write(root / SBOM, json.dumps(document, indent=1) + "\n")


def _of_pip(packages: Path, report: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """List what pip has installed, with the hash of the wheel that it was; raises for what has come some other way."""
    hashes = {_name(one["metadata"]["name"]): _sha256(one["download_info"]) for one in report["install"]}
    for metadata in sorted(packages.glob("*.dist-info/METADATA")):
        told = HeaderParser().parsestr(metadata.read_text())
        name, version = _name(told["Name"]), told["Version"]
        yield _component("library", name, version, f"pkg:pypi/{name}@{version}", [], sha256=hashes[name])


def _sha256(download: Mapping[str, Any]) -> str | None:
    """Read the hash of a wheel, which pip before 23.1 writes as ``sha256=…``.

    https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
    """
    archive = download.get("archive_info", {})
    kind, _, digest = archive.get("hash", "").partition("=")
    found: str | None = archive.get("hashes", {}).get("sha256", digest if kind == "sha256" else None)
    return found


def _of_debian(stanza: Mapping[str, str], files: list[Path]) -> dict[str, Any]:
    name, version, architecture = (stanza[field] for field in ("Package", "Version", "Architecture"))
    purl = f"pkg:deb/debian/{name}@{urllib.parse.quote(version, safe='')}?arch={architecture}"
    return _component("library", name, version, purl, files)


def _of_interpreter(files: list[Path]) -> dict[str, Any]:
    version = platform.python_version()
    found = _component("platform", "cpython", version, f"pkg:generic/cpython@{version}", files)
    return {**found, "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"}


def _of_file(source: Path, place: Path) -> dict[str, Any]:
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    return _component("file", place.name, None, None, [place], sha256=digest)


def _component(
    kind: str, name: str, version: str | None, purl: str | None, files: list[Path], *, sha256: str | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "name": name, "bom-ref": purl or f"file:{files[0]}"}
    if version is not None:
        found |= {"version": version, "purl": purl}
    if sha256 is not None:
        found["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    if files:
        found["evidence"] = {"occurrences": [{"location": str(place)} for place in files]}
    return found


def _debian_owner(file: Path) -> str | None:
    """Find the Debian package that a file is of; None without one, or without dpkg.

    dpkg knows files of /usr/lib by the names that they had in /lib before the two became one.
    https://wiki.debian.org/UsrMerge
    """
    paths = {file: None, file.resolve(): None}
    paths |= {Path("/", path.relative_to("/usr")): None for path in paths if path.is_relative_to("/usr")}
    for path in paths:
        try:
            ran = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        if ran.returncode == 0:
            return ran.stdout.splitlines()[0].rpartition(": ")[0].partition(",")[0]
    return None


def _status(package: str) -> str:
    return subprocess.run(["dpkg-query", "--status", package], capture_output=True, text=True, check=True).stdout


def _stanza(package: str) -> Mapping[str, str]:
    return dict(HeaderParser().parsestr(_status(package)).items())


def _name(written: str) -> str:
    """Normalise a name as PyPI does: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return written.lower().replace("_", "-").replace(".", "-")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
