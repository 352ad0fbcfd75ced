"""What becomes of containers that users add to the tasks of a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsii
import pytest
from aws_cdk import App, Aspects, IAspect, NestedStack, Stack
from aws_cdk import aws_ecs as ecs
from constructs import IConstruct

from tests.synth.template import Template, image, synth
from watchbot.contract import Isolation
from watchbot_cdk import Watchbot

TASK: dict[str, Any] = {}
PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["true"]}
HEALTHY = ecs.HealthCheck(command=["CMD", "true"])

_WORKER = pytest.param(TASK, "task_definition", "worker", id="worker-task")
_WATCHER = pytest.param(TASK, "watcher_task_definition", "watcher", id="watcher-task")
_PROCESS = pytest.param(PROCESS, "task_definition", "worker", id="process-task")
TASKS = pytest.mark.parametrize(("arguments", "task", "main"), [_WORKER, _WATCHER, _PROCESS])


def _synth(arguments: dict[str, Any], task: str, add: Callable[[ecs.TaskDefinition], object]) -> Template:
    return synth(lambda stack: add(getattr(Watchbot(stack, "svc", image=image(), **arguments), task)))


def _dependencies(template: Template, main: str) -> dict[str, str]:
    """Give what the main container waits for among what was added."""
    found = {one["ContainerName"]: one["Condition"] for one in template.container(main).get("DependsOn", [])}
    assert found.pop("watchbot-install", "SUCCESS") == "SUCCESS"
    return found


@TASKS
def test_refuses_a_second_essential_container(arguments: dict[str, Any], task: str, main: str) -> None:
    def add(definition: ecs.TaskDefinition) -> None:
        definition.add_container("proxy", image=image())
        definition.add_container("agent", image=image(), essential=True)
        definition.add_container("quiet", image=image(), essential=False)

    with pytest.raises(RuntimeError) as caught:
        _synth(arguments, task, add)
    text = str(caught.value)
    assert f"Task: containers must not be essential beside {main}, got proxy, agent: ECS stops the task" in text
    assert "add them with essential=False" in text


@TASKS
def test_refuses_an_essential_container_that_is_made_elsewhere_or_by_an_aspect(
    arguments: dict[str, Any], task: str, main: str
) -> None:
    @jsii.implements(IAspect)
    class Adding:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, ecs.TaskDefinition) and node.node.try_find_child("late") is None:
                node.add_container("late", image=image())

    def elsewhere(definition: ecs.TaskDefinition) -> None:
        stack = Stack.of(definition)
        ecs.ContainerDefinition(stack, "Far", task_definition=definition, image=image(), container_name="far")

    with pytest.raises(RuntimeError, match=f"beside {main}, got far: "):
        _synth(arguments, task, elsewhere)
    with pytest.raises(RuntimeError, match=f"beside {main}, got late: "):
        _synth(arguments, task, lambda definition: Aspects.of(definition).add(Adding()))


def test_refuses_a_second_essential_container_in_every_stack_and_service() -> None:
    app = App()
    stack = Stack(app, "Demo")
    nested = NestedStack(stack, "Nested")
    for scope, name in ((stack, "one"), (stack, "two"), (nested, "three")):
        Watchbot(scope, name, image=image()).task_definition.add_container(f"beside-{name}", image=image())
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    for path, name in (("Demo/one", "one"), ("Demo/two", "two"), ("Demo/Nested/three", "three")):
        assert f"{path}/WorkerTask: containers must not be essential beside worker, got beside-{name}: " in str(
            caught.value
        )


@TASKS
def test_a_sidecar_starts_before_the_main_container_and_so_is_stopped_after_it(
    arguments: dict[str, Any], task: str, main: str
) -> None:
    def add(definition: ecs.TaskDefinition) -> None:
        definition.add_container("proxy", image=image(), essential=False)
        definition.add_container("agent", image=image(), essential=False, health_check=HEALTHY)

    template = _synth(arguments, task, add)
    assert _dependencies(template, main) == {"proxy": "START", "agent": "HEALTHY"}
    assert template.container("proxy")["Essential"] is False
    assert [one for one in ("proxy", "agent") if "DependsOn" in template.container(one)] == []


@TASKS
def test_an_order_of_containers_that_its_user_wrote_stays(arguments: dict[str, Any], task: str, main: str) -> None:
    def add(definition: ecs.TaskDefinition) -> None:
        ours = definition.default_container
        assert ours is not None
        before, after, last = (
            definition.add_container(name, image=image(), essential=False) for name in ("before", "after", "last")
        )
        ours.add_container_dependencies(_after(before, ecs.ContainerDependencyCondition.SUCCESS))
        after.add_container_dependencies(_after(ours, ecs.ContainerDependencyCondition.START))
        last.add_container_dependencies(_after(after, ecs.ContainerDependencyCondition.START))

    template = _synth(arguments, task, add)
    assert _dependencies(template, main) == {"before": "SUCCESS"}
    assert [one["ContainerName"] for one in template.container("last")["DependsOn"]] == ["after"]


def _after(container: ecs.ContainerDefinition, condition: ecs.ContainerDependencyCondition) -> ecs.ContainerDependency:
    return ecs.ContainerDependency(container=container, condition=condition)


def test_a_second_synthesis_is_the_same() -> None:
    app = App()
    stack = Stack(app, "Demo")
    Watchbot(stack, "svc", image=image()).task_definition.add_container("proxy", image=image(), essential=False)
    first, second = (Template(app.synth(force=True).get_stack_by_name("Demo").template) for _ in range(2))
    assert first.container("worker")["DependsOn"] == second.container("worker")["DependsOn"]
    assert len(first.container("worker")["DependsOn"]) == 1
