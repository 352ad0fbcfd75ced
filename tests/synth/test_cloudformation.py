"""A template that is included: its parameters and resources are arguments of a service, and it stays as it is."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from aws_cdk import App

from tests.synth.template import Template, placeholders

EXAMPLE = Path(__file__).parents[2] / "examples" / "cloudformation-template" / "app.py"


@pytest.fixture(scope="module")
def included() -> Template:
    """The example."""
    synthesise, assemblies = App.synth, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(App, "synth", lambda app: assemblies.append(synthesise(app)))
        runpy.run_path(str(EXAMPLE))
    (assembly,) = assemblies
    return Template(assembly.get_stack_by_name("Tiles").template)


def test_the_templates_own_resources_keep_their_ids(included: Template) -> None:
    assert list(included.of_type("AWS::DynamoDB::Table")) == ["Tiles"]
    assert "TilesTable" in included.outputs


def test_parameters_reach_the_worker(included: Template) -> None:
    worker = included.container("worker")
    assert placeholders(worker["Image"]).endswith(":<{'Ref': 'ImageTag'}>")
    assert included.environment("worker") == {"TABLE": {"Ref": "Tiles"}, "ZOOM": {"Ref": "Zoom"}}
    assert included.environment("watcher")["WATCHBOT_WORKERS"] == {"Ref": "Workers"}


def test_parameters_say_where_tasks_run(included: Template) -> None:
    service = included.one("AWS::ECS::Service")
    assert service["Cluster"] == {"Ref": "ClusterName"}
    awsvpc = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert (awsvpc["Subnets"], awsvpc["AssignPublicIp"]) == ([{"Ref": "SubnetA"}, {"Ref": "SubnetB"}], "DISABLED")
    assert included.one("AWS::EC2::SecurityGroup")["VpcId"] == {"Ref": "VpcId"}
    assert included.environment("watcher")["WATCHBOT_TASK_SUBNETS"] == {
        "Fn::Join": ["", [{"Ref": "SubnetA"}, ",", {"Ref": "SubnetB"}]]
    }
    assert not included.of_type("AWS::EC2::VPC")


def test_the_worker_may_write_to_the_templates_table(included: Template) -> None:
    resources = [placeholders(one) for one in included.statements("svcWorkerTaskTaskRole")[-1]["Resource"]]
    assert any("table/<{'Ref': 'Tiles'}>" in one for one in resources)
