"""What needs a Docker engine: a network like an ECS task's, an embedded AWS on it, and the services under test."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest
from docker.types import IPAMConfig, IPAMPool

from tests.e2e.ecs_host import ADDRESS, EcsHost
from tests.e2e.services import Services
from watchbot_cli.local.emulator import Emulator

_NETWORK = "watchbot-e2e"


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def network(docker_client: docker.DockerClient) -> Iterator[str]:
    """A network whose host has the address at which a task finds its credentials."""
    for left in docker_client.networks.list(names=[_NETWORK]):
        left.remove()
    pool = IPAMPool(subnet="169.254.170.0/24", gateway=ADDRESS)
    made = docker_client.networks.create(_NETWORK, ipam=IPAMConfig(pool_configs=[pool]))
    yield _NETWORK
    made.remove()


@pytest.fixture(scope="session")
def host(network: str) -> Iterator[EcsHost]:
    """What tasks find at the network's address."""
    with EcsHost() as running:
        yield running


@pytest.fixture(scope="session")
def services(
    docker_client: docker.DockerClient, network: str, host: EcsHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    with Emulator(tmp_path_factory.mktemp("aws"), ADDRESS) as emulator:
        yield Services(docker_client, network, emulator, host, tmp_path_factory.mktemp("app"))
