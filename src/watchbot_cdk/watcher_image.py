"""The watcher image: built from the same files in a checkout and out of an installed wheel."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import IgnoreMode, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs

from watchbot_cdk.remembered import remembered

_PACKAGED = Path(__file__).parent / "_watcher"
_CHECKOUT = Path(__file__).parents[2] / "watcher"
_ASSET_ID = "WatchbotWatcherImage"
_SUFFIXES = {"linux/amd64": "", "linux/arm64": "Arm64"}


def build_context() -> Path:
    """Find the directory that the watcher image is built from.

    A wheel carries a copy of it. Its ``.dockerignore`` is a list of what belongs in, so that the asset has the same
    hash from both, whatever else lies there.
    """
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


@remembered
def built_watcher_image(stack: Stack, platform: ecr_assets.Platform) -> ecs.ContainerImage:
    """Give the watcher image as a Docker asset, one for all Watchbots of a stack on the same kind of processor."""
    asset_id = f"{_ASSET_ID}{_SUFFIXES[platform.platform]}"
    found = stack.node.try_find_child(asset_id)
    if isinstance(found, ecr_assets.DockerImageAsset):
        return ecs.ContainerImage.from_docker_image_asset(found)
    asset = ecr_assets.DockerImageAsset(
        stack,
        asset_id,
        directory=str(build_context()),
        platform=platform,
        ignore_mode=IgnoreMode.DOCKER,
    )
    return ecs.ContainerImage.from_docker_image_asset(asset)
