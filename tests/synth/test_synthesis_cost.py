"""What a service costs an app to synthesise: calls of CDK's process, and resources of CloudFormation's 500 a stack."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from jsii._kernel.providers.process import _NodeProcess

from tests.synth.template import image
from watchbot_cdk import Isolation, Scaling, Watchbot


def _counting(patch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the calls of CDK's process from here on, by kind."""
    calls: Counter[str] = Counter()
    send = _NodeProcess.send

    def counted(process: _NodeProcess, request: Any, kind: Any) -> Any:
        calls[type(request).__name__] += 1
        return send(process, request, kind)

    patch.setattr(_NodeProcess, "send", counted)
    return calls


def _cost(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> tuple[int, int]:
    """Give the calls and the resources of the second service in a cluster."""
    app = App()
    stack = Stack(app, "Stack")
    cluster = ecs.Cluster(stack, "Cluster", vpc=ec2.Vpc(stack, "Vpc"))
    Watchbot(stack, "first", image=image(), cluster=cluster, **arguments)
    with monkeypatch.context() as patch:
        calls = _counting(patch)
        Watchbot(stack, "second", image=image(), cluster=cluster, **arguments)
    resources = app.synth().get_stack_by_name("Stack").template["Resources"]
    return calls.total(), sum(1 for name in resources if name.startswith("second"))


def test_a_process_service_beside_another_takes_few_calls_and_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, resources = _cost(monkeypatch, isolation=Isolation.PROCESS, command=["work"])
    assert calls <= 45
    assert resources <= 26


def test_scaling_takes_few_calls_and_31_resources_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, resources = _cost(monkeypatch, isolation=Isolation.PROCESS, command=["work"], watchers=Scaling(max=10))
    assert calls <= 48
    assert resources <= 31


def test_a_task_service_beside_another_takes_few_calls_and_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, resources = _cost(monkeypatch)
    assert calls <= 59
    assert resources <= 33


def test_at_synthesis_a_service_takes_one_call_for_each_of_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls(services: int) -> int:
        app = App()
        stack = Stack(app, "Stack")
        cluster = ecs.Cluster(stack, "Cluster", vpc=ec2.Vpc(stack, "Vpc"))
        for number in range(services):
            Watchbot(stack, f"svc{number}", image=image(), cluster=cluster)
        with monkeypatch.context() as patch:
            counted = _counting(patch)
            app.synth()
        return counted.total()

    assert calls(2) - calls(1) <= 2
