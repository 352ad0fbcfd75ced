"""On which base the watcher image is built, and that another base is another image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from tests.synth.template import image
from watchbot_cdk import Watchbot, WatchbotArgumentError, WatcherImage

DIGEST = f"python:3.13-slim-bookworm@sha256:{'0123456789abcdef' * 4}"
OTHER = f"registry.example:5000/mirror/python@sha256:{'fedcba9876543210' * 4}"


def _assets(directory: Path, *bases: str | None) -> dict[str, Any]:
    """Synthesise a service for each base and give the images that are built, by their hashes."""
    app = App(outdir=str(directory))
    stack = Stack(app, "Demo")
    for number, base in enumerate(bases):
        chosen = None if base is None else WatcherImage(base_image=base)
        Watchbot(stack, f"svc{number}", image=image(), watcher_image=chosen)
    app.synth()
    found: dict[str, Any] = json.loads((directory / "Demo.assets.json").read_text())["dockerImages"]
    return found


def test_each_base_is_an_image_of_its_own_and_services_share_it(tmp_path: Path) -> None:
    assets = _assets(tmp_path, None, DIGEST, OTHER, DIGEST)
    built = sorted(one["source"].get("dockerBuildArgs", {}).get("BASE_IMAGE", "") for one in assets.values())
    assert built == ["", DIGEST, OTHER]


def test_the_base_is_the_builds_argument(tmp_path: Path) -> None:
    context = Path(__file__).parents[2] / "watcher" / "Dockerfile"
    assert "ARG BASE_IMAGE=" in context.read_text()
    (asset,) = _assets(tmp_path, DIGEST).values()
    assert asset["source"]["dockerBuildArgs"] == {"BASE_IMAGE": DIGEST}


@pytest.mark.parametrize("base", ["", "python@sha256:abc", "Python 3.13", "--build-arg=x", f"{DIGEST}0", 3])
def test_refuses_what_names_no_image(base: Any) -> None:
    with pytest.raises(WatchbotArgumentError, match="watcher_image base_image must be the name of an image"):
        Watchbot(Stack(App(), "Demo"), "svc", image=image(), watcher_image=WatcherImage(base_image=base))
