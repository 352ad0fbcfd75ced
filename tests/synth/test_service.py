from __future__ import annotations

import pytest

from tests.synth.template import Template, synth_watchbot
from watchbot.contract import Isolation


@pytest.fixture(scope="module", params=[Isolation.TASK, Isolation.PROCESS])
def template(request: pytest.FixtureRequest) -> Template:
    return synth_watchbot(isolation=request.param, command=["true"])


def _awaited(template: Template) -> set[str]:
    (service,) = [one for one in template.resources.values() if one["Type"] == "AWS::ECS::Service"]
    return set(service["DependsOn"])


def test_the_first_task_starts_with_all_its_rights(template: Template) -> None:
    policies = {name for name in template.of_type("AWS::IAM::Policy") if name.startswith("svc")}
    assert policies
    assert policies <= _awaited(template)


def test_the_first_task_starts_with_a_way_to_its_image(template: Template) -> None:
    routes = set(template.of_type("AWS::EC2::Route"))
    assert len(routes) == 2
    assert routes <= _awaited(template)


def test_no_task_is_stopped_to_even_out_zones(template: Template) -> None:
    assert template.one("AWS::ECS::Service")["AvailabilityZoneRebalancing"] == "DISABLED"


def test_a_bad_image_neither_stops_the_old_watchers_nor_hangs_the_deployment(template: Template) -> None:
    deployment = template.one("AWS::ECS::Service")["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_a_worker_that_is_stopped_has_two_minutes_to_end(template: Template) -> None:
    assert template.container("worker")["StopTimeout"] == 120
