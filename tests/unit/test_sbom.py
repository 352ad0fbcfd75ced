"""The list of what the watcher image is made of names every binary and package in it."""

from __future__ import annotations

import hashlib
import json
import platform
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RUNTIME = Path(__file__).parents[2] / "watcher" / "runtime"
DPKG = """#!/bin/sh
case "$1 $2" in
"--search /lib/x86_64-linux-gnu/libssl.so.3") echo "libssl3:amd64: /usr/lib/x86_64-linux-gnu/libssl.so.3" ;;
"--search {busybox}") echo "busybox-static: /bin/busybox" ;;
"--status libssl3:amd64") printf 'Package: libssl3\\nStatus: install ok installed\\nArchitecture: amd64\\n'
  printf 'Version: 3.0.17-1~deb12u3\\nDescription: SSL\\n toolkit\\n' ;;
"--status busybox-static") printf 'Package: busybox-static\\nArchitecture: amd64\\nVersion: 1:1.35.0-4\\n' ;;
*) echo "dpkg-query: no path found matching pattern $2" >&2; exit 1 ;;
esac
"""
WRITE = """
import json, sys
from pathlib import Path
from sbom import Copied, write_sbom
root, packages, report, files = sys.argv[1:]
copied = [Copied(Path(source), Path(root, target)) for source, target in json.loads(files)]
write_sbom(Path(root), copied, Path(packages), Path(report))
"""


@pytest.fixture(
    params=[{"hashes": {"sha256": "ab" * 32}, "hash": f"sha256={'ab' * 32}"}, {"hash": f"sha256={'ab' * 32}"}],
    ids=["pip", "older-pip"],
)
def image(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Give the root of an image of which everything is listed: a shared library, busybox, Python, and one stray."""
    root, packages, bin_ = tmp_path / "image", tmp_path / "packages", tmp_path / "bin"
    for folder in (root, bin_, packages / "boto3-1.44.5.dist-info"):
        folder.mkdir(parents=True)
    busybox, stray = tmp_path / "busybox", tmp_path / "libstray.so"
    busybox.write_text("busybox")
    stray.write_text("stray")
    (bin_ / "dpkg-query").write_text(DPKG.replace("{busybox}", str(busybox)))
    (bin_ / "dpkg-query").chmod(stat.S_IRWXU)
    (packages / "boto3-1.44.5.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: boto3\nVersion: 1.44.5\n\n"
    )
    report = tmp_path / "report.json"
    installed = {"metadata": {"name": "boto3"}, "download_info": {"archive_info": request.param}}
    report.write_text(json.dumps({"install": [installed]}))
    files = [
        ("/lib/x86_64-linux-gnu/libssl.so.3", "usr/lib/watchbot/lib/libssl.so.3"),
        (str(busybox), "usr/lib/watchbot/bin/busybox"),
        (str(Path(sys.base_prefix, "bin", "python3")), "usr/lib/watchbot/bin/python"),
        (str(stray), "usr/lib/watchbot/lib/libstray.so"),
    ]
    subprocess.run(
        [sys.executable, "-c", WRITE, root, packages, report, json.dumps(files)],
        env={"PATH": f"{bin_}:/usr/bin:/bin", "PYTHONPATH": str(RUNTIME), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    return root


def _components(root: Path) -> dict[str, Any]:
    document = json.loads((root / "usr/share/watchbot/sbom.cdx.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    return {one["name"]: one for one in document["components"]}


def _places(component: Any) -> list[str]:
    return [one["location"] for one in component["evidence"]["occurrences"]]


def test_a_debian_package_is_named_with_its_version_and_its_files(image: Path) -> None:
    found = _components(image)["libssl3"]
    assert found["purl"] == "pkg:deb/debian/libssl3@3.0.17-1~deb12u3?arch=amd64"
    assert (found["version"], _places(found)) == ("3.0.17-1~deb12u3", ["/usr/lib/watchbot/lib/libssl.so.3"])
    busybox = _components(image)["busybox-static"]
    assert busybox["purl"] == "pkg:deb/debian/busybox-static@1%3A1.35.0-4?arch=amd64"


def test_scanners_find_debian_packages_where_distroless_images_have_them(image: Path) -> None:
    status = image / "var/lib/dpkg/status.d"
    assert sorted(file.name for file in status.iterdir()) == ["busybox-static", "libssl3"]
    assert "Version: 3.0.17-1~deb12u3\n" in (status / "libssl3").read_text()
    if Path("/etc/os-release").exists():
        assert (image / "etc/os-release").read_text() == Path("/etc/os-release").read_text()


def test_a_python_package_has_the_hash_of_its_wheel(image: Path) -> None:
    found = _components(image)["boto3"]
    assert (found["purl"], found["hashes"]) == ("pkg:pypi/boto3@1.44.5", [{"alg": "SHA-256", "content": "ab" * 32}])


def test_the_interpreter_is_named_as_vulnerabilities_are_filed(image: Path) -> None:
    found = _components(image)["cpython"]
    assert found["cpe"] == f"cpe:2.3:a:python:python:{platform.python_version()}:*:*:*:*:*:*:*"
    assert _places(found) == ["/usr/lib/watchbot/bin/python"]


def test_a_file_of_no_package_is_listed_with_its_hash(image: Path) -> None:
    found = _components(image)["libstray.so"]
    assert found["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"stray").hexdigest()}]


def test_the_same_image_has_the_same_list(image: Path) -> None:
    text = (image / "usr/share/watchbot/sbom.cdx.json").read_text()
    assert "timestamp" not in text
    assert "serialNumber" not in text
