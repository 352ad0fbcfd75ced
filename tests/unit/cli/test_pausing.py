"""Pausing and resuming, also when the command dies halfway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from tests.unit.cli.stacks import in_stack
from watchbot.contract import Description, Isolation
from watchbot_cli.errors import CommandError
from watchbot_cli.main import cli
from watchbot_cli.pausing.capacity import SCALING, Capacity
from watchbot_cli.pausing.pausable import TAG, PausableService

_DIMENSION = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
_RESOURCE = "service/cluster/service"
_WRITES = {"tag_resource", "register_scalable_target", "update_service", "untag_resource"}


class _Killed(BaseException):
    """What a process that is ended feels."""


class _Mortal:
    """A client that dies with its command once ``lives`` writes were made by any of those that share them."""

    def __init__(self, client: Any, lives: list[int]) -> None:
        self._client = client
        self._lives = lives

    def __getattr__(self, name: str) -> Any:
        if name in _WRITES:
            if self._lives[0] == 0:
                raise _Killed
            self._lives[0] -= 1
        return getattr(self._client, name)


class _Account:
    def __init__(self) -> None:
        self.ecs: Any = boto3.client("ecs", region_name="eu-west-1")
        self.autoscaling: Any = boto3.client("application-autoscaling", region_name="eu-west-1")
        self.ecs.create_cluster(clusterName="cluster")
        self.ecs.register_task_definition(
            family="watcher", containerDefinitions=[{"name": "watcher", "image": "watcher", "memory": 128}]
        )
        self.ecs.create_service(cluster="cluster", serviceName="service", taskDefinition="watcher", desiredCount=3)

    def scale(self) -> None:
        self.autoscaling.register_scalable_target(
            ResourceId=_RESOURCE,
            MinCapacity=1,
            MaxCapacity=9,
            SuspendedState=dict(zip(SCALING, (True, False, False), strict=True)),
            **_DIMENSION,
        )

    def service(self, lives: int = 100) -> PausableService:
        left = [lives]
        return PausableService(_Mortal(self.ecs, left), _Mortal(self.autoscaling, left), "cluster", "service")

    def state(self) -> tuple[int, list[Any], dict[str, str]]:
        (service,) = self.ecs.describe_services(cluster="cluster", services=["service"], include=["TAGS"])["services"]
        targets = self.autoscaling.describe_scalable_targets(ResourceIds=[_RESOURCE], **_DIMENSION)["ScalableTargets"]
        kept = [(one["MinCapacity"], one["MaxCapacity"], one["SuspendedState"]) for one in targets]
        return service["desiredCount"], kept, {tag["key"]: tag["value"] for tag in service.get("tags", [])}


@pytest.fixture
def account() -> Iterator[_Account]:
    with mock_aws():
        yield _Account()


@pytest.mark.parametrize("scales", [True, False])
def test_resume_brings_back_exactly_what_pause_found(account: _Account, scales: bool) -> None:
    if scales:
        account.scale()
    before = account.state()
    account.service().pause()
    desired, targets, tags = account.state()
    assert (desired, set(tags)) == (0, {TAG})
    assert all(limits[:2] == (1, 9) and all(limits[2].values()) for limits in targets)
    account.service().resume()
    assert account.state() == before


def test_pausing_twice_is_pausing_once(account: _Account) -> None:
    account.scale()
    before = account.state()
    assert account.service().pause() == account.service().pause() == Capacity(3, (True, False, False))
    account.service().resume()
    assert account.state() == before
    assert account.service().resume() is None
    assert account.state() == before


def test_a_service_named_by_arns_as_stacks_name_it_has_its_scaling_suspended(account: _Account) -> None:
    account.scale()
    before = account.state()
    (service,) = account.ecs.describe_services(cluster="cluster", services=["service"])["services"]
    named = PausableService(account.ecs, account.autoscaling, service["clusterArn"], service["serviceArn"])
    assert named.pause() == Capacity(3, (True, False, False))
    assert all(all(suspended.values()) for _, _, suspended in account.state()[1])
    named.resume()
    assert account.state() == before


@pytest.mark.parametrize("lives", [0, 1, 2])
@pytest.mark.parametrize("again", [True, False])
def test_a_pause_that_died_is_ended_or_undone(account: _Account, lives: int, again: bool) -> None:
    account.scale()
    before = account.state()
    with pytest.raises(_Killed):
        account.service(lives).pause()
    if again:
        account.service().pause()
        assert account.state()[0] == 0
    account.service().resume()
    assert account.state() == before


@pytest.mark.parametrize("lives", [0, 1, 2])
def test_a_resume_that_died_is_ended_by_the_next(account: _Account, lives: int) -> None:
    account.scale()
    before = account.state()
    account.service().pause()
    with pytest.raises(_Killed):
        account.service(lives).resume()
    account.service().resume()
    assert account.state() == before


def test_refuses_a_service_that_is_not_there(account: _Account) -> None:
    gone = PausableService(account.ecs, account.autoscaling, "cluster", "gone")
    with pytest.raises(CommandError, match="'gone' is not active in cluster 'cluster'"):
        gone.pause()


def test_refuses_a_tag_that_somebody_else_wrote() -> None:
    with pytest.raises(CommandError, match="'yes', not like"):
        Capacity.from_tag("yes")


_DESCRIPTION = Description(
    service="Stack/jobs",
    isolation=Isolation.PROCESS,
    topic_arn="topic",
    queue_url="queue",
    dead_letter_queue_url="letters",
    log_group="log",
    cluster="cluster",
    ecs_service="service",
    task_definition="watcher",
    worker_task_definition="watcher",
)


@pytest.mark.parametrize("as_json", [True, False])
def test_each_command_says_what_it_did(account: _Account, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    monkeypatch.setattr("watchbot_cli.pausing.run.find", lambda *_, **__: in_stack(_DESCRIPTION))
    options = ["--stack", "Stack", "--region", "eu-west-1", *(["--json"] if as_json else [])]
    said = [CliRunner().invoke(cli, [name, *options], catch_exceptions=False) for name in ("pause", "resume", "resume")]
    assert [one.exit_code for one in said] == [0, 0, 0]
    if as_json:
        found = [json.loads(one.stdout) for one in said]
        assert [(one["paused"], one["watchers"]) for one in found] == [(True, 3), (False, 3), (False, None)]
    else:
        expected = ["is paused: jobs that run go on", "is resumed with 3 watchers", "is not paused: nothing was done"]
        assert all(text in one.stdout for text, one in zip(expected, said, strict=True))
    assert account.state()[0] == 3
