"""The image's list of what it is made of, against what is in the image."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.e2e.services import BASE_IMAGE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files(docker_client: docker.DockerClient) -> Iterator[dict[str, bytes]]:
    """Give the files of the watcher image that are no Python modules, by their names."""
    image, _ = docker_client.images.build(
        path=str(ROOT / "watcher"), buildargs={"BASE_IMAGE": BASE_IMAGE}, rm=True, tag="watchbot-e2e-watcher"
    )
    container = docker_client.containers.create(image)
    exported = io.BytesIO(b"".join(container.export()))
    container.remove()
    with tarfile.open(fileobj=exported) as archive:
        yield {
            f"/{member.name}": reading.read()
            for member in archive
            if member.isfile()
            and not member.name.endswith((".py", ".pyc"))
            and (reading := archive.extractfile(member)) is not None
        }


@pytest.fixture(scope="module")
def components(files: dict[str, bytes]) -> dict[str, Any]:
    document = json.loads(files["/usr/share/watchbot/sbom.cdx.json"])
    return {one["name"]: one for one in document["components"]}


def test_every_binary_is_of_a_component(files: dict[str, bytes], components: dict[str, Any]) -> None:
    listed = {
        place["location"]
        for component in components.values()
        for place in component.get("evidence", {}).get("occurrences", ())
    }
    binaries = {name for name, content in files.items() if content.startswith(b"\x7fELF")}
    ours = {name for name in binaries if name.endswith("/bin/hold-signals")}  # assembled here, of no package
    assert len(ours) == 1
    assert listed == binaries - ours


def test_what_scanners_look_for_is_there_with_its_version(files: dict[str, bytes], components: dict[str, Any]) -> None:
    for name in ("libc6", "libssl3", "busybox-static", "zlib1g"):
        assert components[name]["purl"].startswith(f"pkg:deb/debian/{name}@")
        assert f"Version: {components[name]['version']}\n".encode() in files[f"/var/lib/dpkg/status.d/{name}"]
    assert b"VERSION_CODENAME=bookworm" in files["/etc/os-release"]
    assert components["cpython"]["version"].startswith("3.11.")


def test_every_pinned_package_is_listed_with_a_hash_of_its_pins(components: dict[str, Any]) -> None:
    pins = (ROOT / "watcher" / "requirements.txt").read_text()
    for pin in pins.split("\n\n" if "\n\n" in pins else "\n"):
        name, equal, version = pin.split(" ")[0].partition("==")
        if equal:
            assert components[name]["version"] == version
            (found,) = components[name]["hashes"]
            assert f"--hash=sha256:{found['content']}" in pins
