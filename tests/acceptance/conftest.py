"""The embedded AWS that acceptance tests talk to: one for each test process."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.acceptance.debugged import synthesised
from tests.acceptance.operated import Operated
from tests.acceptance.queue import Queues
from watchbot_cli.local.emulator import SERVICES, Emulator

_LOOKED_AT = ("monitoring", "ecs", "ec2")
"""What the command line asks of a service's AWS, and a service run on this machine does without."""


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("aws"), services=(*SERVICES, *_LOOKED_AT)) as running:
        yield running


@pytest.fixture
def queues(emulator: Emulator, request: pytest.FixtureRequest) -> Queues:
    return Queues(emulator, request.node.name)


@pytest.fixture
def fifo_queues(emulator: Emulator, request: pytest.FixtureRequest) -> Queues:
    return Queues(emulator, request.node.name, fifo=True)


@pytest.fixture
def operated(emulator: Emulator, request: pytest.FixtureRequest) -> Operated:
    return Operated(emulator, re.sub("[^A-Za-z0-9]+", "-", request.node.name)[-60:].strip("-"))


@pytest.fixture(scope="session")
def debugged(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command that gives the output of the app that is debugged."""
    return synthesised(tmp_path_factory.mktemp("debugged"))
