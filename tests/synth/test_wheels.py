"""The wheels of both distributions do what the checkout does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

APP = """
import json, sys
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
import watchbot, watchbot_cdk
from watchbot_cdk import Watchbot

app = App()
stack = Stack(app, "Demo")
Watchbot(stack, "svc", image=ecs.ContainerImage.from_registry("busybox"))
assembly = app.synth()
assets = json.load(open(assembly.directory + "/Demo.assets.json"))["dockerImages"]
print(json.dumps({"assets": sorted(assets), "from": [watchbot.__file__, watchbot_cdk.__file__]}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both wheels, unpacked outside the repository as pip would."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    for source in (ROOT / "watcher", ROOT):
        build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
        subprocess.run(build, check=True, cwd=wheels)
    found = [str(wheel) for wheel in wheels.glob("*.whl")]
    assert len(found) == 2
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(site), *found], check=True)
    return site


def _synthesise(directory: Path, *paths: Path) -> dict[str, list[str]]:
    prelude = "".join(f"import sys; sys.path.insert(0, {str(path)!r})\n" for path in reversed(paths))
    ran = subprocess.run(
        [sys.executable, "-c", prelude + APP], cwd=directory, check=True, capture_output=True, text=True
    )
    answer: dict[str, list[str]] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def test_installed_wheels_build_the_same_watcher_image_as_the_checkout(installed: Path, tmp_path: Path) -> None:
    from_wheels = _synthesise(tmp_path, installed)
    assert all(Path(file).is_relative_to(installed) for file in from_wheels["from"])
    from_checkout = _synthesise(tmp_path, ROOT / "src", ROOT / "watcher")
    assert all(Path(file).is_relative_to(ROOT) for file in from_checkout["from"])
    assert len(from_wheels["assets"]) == 1
    assert from_wheels["assets"] == from_checkout["assets"]


def test_an_installed_wheel_makes_the_same_new_service_as_the_checkout(installed: Path, tmp_path: Path) -> None:
    for name, path in (("wheels", installed), ("checkout", ROOT / "src")):
        make = f"import sys; sys.path.insert(0, {str(path)!r}); from watchbot_cli import new_service as made; "
        (tmp_path / name).mkdir()
        asked = make + "made.init('new'); print(made.__file__)"
        ran = subprocess.run(
            [sys.executable, "-c", asked], cwd=tmp_path / name, check=True, capture_output=True, text=True
        )
        assert Path(ran.stdout.strip()).is_relative_to(path)
    made = {name: tmp_path / name / "new" for name in ("wheels", "checkout")}
    files = {str(one.relative_to(made["checkout"])) for one in made["checkout"].rglob("*") if one.is_file()}
    assert files == {str(one.relative_to(made["wheels"])) for one in made["wheels"].rglob("*") if one.is_file()}
    assert all((made["wheels"] / one).read_bytes() == (made["checkout"] / one).read_bytes() for one in files)
