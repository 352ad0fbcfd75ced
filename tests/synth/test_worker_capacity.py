"""The room for workers is found from what is deployed, whatever its parts are called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from tests.synth.template import Template, cluster_with_instances, image, placeholders, synth
from tests.unit.cli.account import Account, instance
from watchbot.contract import OUTPUT_SUFFIX, Description, Isolation
from watchbot_cdk import Capacity, Watchbot
from watchbot_cli.options import Target
from watchbot_cli.room.run import worker_capacity

_QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"


def _services(stack: Stack) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], public_subnet_ids=["subnet-1"]
    )
    shared: dict[str, Any] = {
        "image": image(),
        "cluster": cluster_with_instances(stack, vpc),
        "capacity": Capacity.ec2(),
    }
    near = [ecs.PlacementConstraint.member_of("attribute:zone == a")]
    Watchbot(stack, "9-quartz", cpu=512, memory_limit_mib=1024, placement_constraints=near, **shared)
    inner = Construct(stack, "Some where")
    processes: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"], "workers": 4}
    Watchbot(inner, "WatchbotWorker", memory_limit_mib=2048, memory_reservation_mib=936, **processes, **shared)


@pytest.fixture(scope="module")
def template() -> Template:
    return synth(_services)


def _deployed(value: Any) -> Any:
    """Give part of a template as ECS describes it."""
    match value:
        case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::Join": _}:
            return placeholders(value)
        case {"Name": str(name), "Value": _} if name.endswith("QUEUE_URL"):
            return {"name": name, "value": _QUEUE_URL}
        case {"Name": "WATCHBOT_REGION", "Value": _}:
            return {"name": "WATCHBOT_REGION", "value": "us-east-1"}
        case dict():
            return {f"{key[0].lower()}{key[1:]}": _deployed(one) for key, one in value.items()}
        case list():
            return [_deployed(one) for one in value]
        case _:
            return value


def _account(template: Template, service: str) -> tuple[Account, Description]:
    """Deploy one of the services; instance 0 is in the zone that the first asks for."""
    outputs = [one["Value"] for name, one in template.outputs.items() if name.endswith(OUTPUT_SUFFIX)]
    descriptions = [Description.from_json(placeholders(value)) for value in outputs]
    (found,) = [one for one in descriptions if one.service.endswith(service)]
    account = Account()
    for name, properties in template.of_type("AWS::ECS::TaskDefinition").items():
        arn = placeholders({"Ref": name})
        account.definitions[arn] = {"taskDefinitionArn": arn, **_deployed(properties)}
    for name, properties in template.of_type("AWS::ECS::Service").items():
        arn = placeholders({"Ref": name})
        if arn == found.ecs_service:
            account.service = {**_deployed(properties), "serviceArn": arn, "serviceName": "any", "status": "ACTIVE"}
    account.tasks = {found.cluster: []}
    account.instances, account.fitting = [instance(0), instance(1)], {"attribute:zone == a": [0]}
    return account, found


@pytest.mark.parametrize(
    ("service", "per_instance", "workers_per_task"),
    [("9-quartz", [4, 0], 1), ("WatchbotWorker", [4, 4], 4)],
    ids=["tasks where their constraint lets them", "processes, beside the install container's 64 MiB"],
)
def test_the_room_is_that_of_the_workers_whatever_the_construct_is_called(
    template: Template,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    service: str,
    per_instance: list[int],
    workers_per_task: int,
) -> None:
    account, found = _account(template, service)
    monkeypatch.setattr("watchbot_cli.room.run.Session", lambda _: account)
    monkeypatch.setattr("watchbot_cli.room.run.find_service", lambda *_: found)
    worker_capacity(Target("Demo", service, None, None), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [room["tasks"] for room in told["pools"][0]["instances"]] == per_instance
    assert (told["workers_per_task"], told["workers"]) == (workers_per_task, sum(per_instance) * workers_per_task)
