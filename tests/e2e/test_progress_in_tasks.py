"""An image of a worker in a task of its own brings the command in the ways that the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.services import BASE_IMAGE, Services
from watchbot.contract import PROGRESS_KEY

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reduce.md").read_text()
WITH_PYTHON, WITHOUT = re.findall(r"```dockerfile\n(.*?)```", PAGE, re.DOTALL)
BUILD = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[1]

RUNTIME = "watchbot-e2e-runtime"
"""Whoever runs this may have an image that is called as on the page."""

WITHOUT = WITHOUT.replace("--from=watcher", f"--from={RUNTIME}")

IMAGES = {
    # No registry is asked: the wheel is beside those of its requirements.
    "python": f"FROM {BASE_IMAGE}\nENV PIP_BREAK_SYSTEM_PACKAGES=1\nCOPY *.whl /wheels/\n{WITH_PYTHON}",
    "nothing": f"FROM {BASE_IMAGE} AS debian\nFROM scratch\nCOPY --from=debian /bin/busybox /bin/busybox\n{WITHOUT}",
    # What would break the loader of a system breaks nothing here.
    "poison": f"FROM {BASE_IMAGE}\n{WITHOUT}ENV LD_LIBRARY_PATH=/nowhere PYTHONHOME=/nowhere OPENSSL_CONF=/nowhere\n",
}


@pytest.fixture(scope="module")
def folder(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runtime's wheel, and beside it an engine that has the watcher image under its name."""
    assert services
    made = tmp_path_factory.mktemp("images")
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*wheel, "--no-build-isolation", "--wheel-dir", made, ROOT / "watcher"], check=True)
    here = BUILD.replace("-t watcher", f"-t {RUNTIME}").replace(
        "docker build", f"docker build --quiet --build-arg BASE_IMAGE={BASE_IMAGE}"
    )
    subprocess.run(["sh", "-c", here], check=True)
    return made


@pytest.fixture(scope="module")
def variables(services: Services) -> dict[str, str]:
    """What a worker's task has in its environment: its role, the table and the topic."""
    table = services.emulator.client("dynamodb").create_table(
        TableName="progress",
        KeySchema=[{"AttributeName": PROGRESS_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": PROGRESS_KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    topic = services.emulator.client("sns").create_topic(Name="parts")
    return {
        **services.emulator.environment(),
        "ProgressTable": table["TableDescription"]["TableArn"],
        "WorkTopic": topic["TopicArn"],
    }


@pytest.mark.parametrize("image", IMAGES)
def test_a_task_of_any_image_counts_parts_as_the_page_says(
    image: str, services: Services, folder: Path, variables: dict[str, str]
) -> None:
    (folder / "Dockerfile").write_text(IMAGES[image])
    built, _ = services.docker.images.build(path=str(folder), rm=True)
    script = (
        "echo '{}' | watchbot-progress map-reduce $0 && watchbot-progress complete-part $0 -p 1 --reduce && "
        "watchbot-progress status $0 -p 1"
    )
    said = services.docker.containers.run(
        built.id,
        ["sh", "-c", script, image],
        entrypoint=["/bin/busybox"],
        environment=variables,
        network=services.network,
        remove=True,
        stderr=True,
    )
    status = '{"progress": 1, "total": 1, "remaining": 0, "partComplete": true, "reduceSent": true}'
    assert said.decode() == f"true\n{status}\n"
