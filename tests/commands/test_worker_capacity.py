"""``watchbot worker-capacity`` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.operated import Operated
from tests.unit.cli.account import told


@pytest.fixture
def deployed(operated: Operated) -> Iterator[Operated]:
    """Create what of the service the stack leaves out: its cluster, task definitions and ECS service.

    The embedded AWS knows no instances and no quotas.
    """
    found = operated.services["plain"]
    ecs: Any = operated.emulator.client("ecs")
    ecs.create_cluster(clusterName=found.cluster)
    worker = {"name": "worker", "image": "any"}
    ecs.register_task_definition(family="workers", containerDefinitions=[worker], cpu="1024", memory="2048")
    environment = told(CLUSTER=found.cluster, TASK_DEFINITION="workers", TASK_CAPACITY="FARGATE=1,instances=1")
    watcher = {"name": "watcher", "image": "any", "memory": 512, "environment": environment}
    ecs.register_task_definition(family="watchers", containerDefinitions=[watcher])
    ecs.create_service(cluster=found.cluster, serviceName=found.ecs_service, taskDefinition="watchers", desiredCount=0)
    yield operated
    ecs.delete_service(cluster=found.cluster, service=found.ecs_service, force=True)


def test_what_cannot_be_read_is_said_the_rest_is_told_and_the_exit_code_says_so(deployed: Operated) -> None:
    ran = deployed.run("worker-capacity")
    assert ran.returncode == 1
    assert "takes 1024 CPU units, 2048 MiB" in ran.stdout
    assert "FARGATE: not known: AWS refuses GetServiceQuota" in ran.stdout
    assert "instances: 0 more workers: capacity provider instances has no instances" in ran.stdout
    assert "not counted: pods of EKS" in ran.stderr
    found = json.loads(deployed.run("worker-capacity", "--json").stdout)
    assert (found["workers"], [pool["tasks"] for pool in found["pools"]]) == (None, [0, None])


def test_a_service_or_stack_that_is_not_there_is_a_sentence(operated: Operated) -> None:
    ran = operated.run("worker-capacity", service="ordered")
    assert (ran.returncode, ran.stdout) == (1, "")
    service = operated.services["ordered"].ecs_service
    assert ran.stderr.startswith(f"watchbot: the ECS service {service!r} is not active in cluster")
    assert operated.run("worker-capacity", stack="Nowhere").returncode == 2
