"""All synth tests share one process: starting jsii costs seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App

from tests.synth.reviewed import synth_services
from tests.synth.template import Template

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("synth"))


@pytest.fixture(scope="session")
def reviewed() -> tuple[App, dict[str, Template]]:
    """Give the app that reviewers look at, and the template of each of its services."""
    return synth_services()
