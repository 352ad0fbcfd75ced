"""The watcher image: built from the same files in a checkout and out of an installed wheel."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from aws_cdk import IgnoreMode, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs

from watchbot_cdk.remembered import remembered

_PACKAGED = Path(__file__).parent / "_watcher"
_CHECKOUT = Path(__file__).parents[2] / "watcher"
_ASSET_ID = "WatchbotWatcherImage"
_BUILD_ARGUMENT = "BASE_IMAGE"
_REFERENCE = re.compile(r"[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?", re.ASCII)
"""https://github.com/distribution/reference"""

_SUFFIXES = {"linux/amd64": "", "linux/arm64": "Arm64"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatcherImage:
    """The watcher image, built from this package on another base than the default.

    :param base_image: the image whose CPython and libraries it is made of, such as
        ``python:3.13-slim-bookworm@sha256:…``: a Debian with glibc 2.34 or later, CPython 3.11 or later and pip. With a
        digest every build has the same base, and another digest is another image in the next deployment; with a tag
        the base is whatever the registry has under it when the image is built.
    """

    base_image: str

    def problems(self) -> Iterable[str]:
        """Yield a sentence for each invalid value."""
        if not isinstance(self.base_image, str) or not _REFERENCE.fullmatch(self.base_image):
            yield (
                "watcher_image base_image must be the name of an image, such as python:3.13-slim-bookworm@sha256: and "
                f"64 hexadecimal digits, got {self.base_image!r}"
            )


def build_context() -> Path:
    """Find the directory that the watcher image is built from.

    A wheel carries a copy of it. Its ``.dockerignore`` is a list of what belongs in, so that the asset has the same
    hash from both, whatever else lies there.
    """
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


@remembered
def built_watcher_image(
    stack: Stack, platform: ecr_assets.Platform, base_image: str | None = None
) -> ecs.ContainerImage:
    """Return the watcher image as a Docker asset, one for all Watchbots of a stack on the same processor and base.

    The base is a build argument, which is part of the asset's hash.
    """
    asset_id = f"{_ASSET_ID}{_SUFFIXES[platform.platform]}"
    if base_image is not None:
        asset_id += hashlib.sha256(base_image.encode()).hexdigest()[:8]
    found = stack.node.try_find_child(asset_id)
    if isinstance(found, ecr_assets.DockerImageAsset):
        return ecs.ContainerImage.from_docker_image_asset(found)
    asset = ecr_assets.DockerImageAsset(
        stack,
        asset_id,
        directory=str(build_context()),
        platform=platform,
        ignore_mode=IgnoreMode.DOCKER,
        build_args=None if base_image is None else {_BUILD_ARGUMENT: base_image},
    )
    return ecs.ContainerImage.from_docker_image_asset(asset)
