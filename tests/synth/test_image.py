"""A worker's image in a repository of one's own."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

from tests.synth.template import placeholders, synth
from watchbot.contract import Isolation
from watchbot_cdk import Watchbot

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
SHA = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
ELSEWHERE = "arn:aws:ecr:eu-west-1:210987654321:repository/team/worker"


@pytest.mark.parametrize(
    ("isolation", "role"), [({}, "WorkerTaskTaskRoleExecutionRole"), (PROCESS, "svcTaskTaskRoleExecutionRole")]
)
@pytest.mark.parametrize("arn", [None, ELSEWHERE], ids=["own", "other account"])
def test_an_image_is_named_by_its_commit_and_the_execution_role_may_pull_it(
    isolation: dict[str, Any], role: str, arn: str | None
) -> None:
    def build(stack: Stack) -> None:
        repository: ecr.IRepository = (
            ecr.Repository(stack, "Repository")
            if arn is None
            else ecr.Repository.from_repository_arn(stack, "Repository", arn)
        )
        image = ecs.ContainerImage.from_ecr_repository(repository, SHA)
        Watchbot(stack, "svc", image=image, **isolation)

    template = synth(build)
    image = placeholders(template.container("worker")["Image"])
    assert image.endswith(f":{SHA}")
    assert arn is None or image.startswith("210987654321.dkr.ecr.eu-west-1.")
    pulled = [one for one in template.statements(role) if "ecr:BatchGetImage" in one["Action"]]
    resources = [placeholders(one["Resource"]) for one in pulled]
    assert (arn or "<Repository") in "".join(resources)
