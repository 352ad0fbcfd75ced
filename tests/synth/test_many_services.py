"""Twenty services of settings that have nothing in common, in one app, beside each other, nested and staged."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, NestedStack, Stack, Stage
from aws_cdk import aws_events as events
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns

from tests.synth.combinations import Combination, build, drawn
from tests.synth.template import Template, placeholders
from tests.synth.world import World
from watchbot_cdk import Watchbot

SETTINGS = drawn(20, first=60)

# What is unique within another resource alone, or names what is not ours.
_NAMES_WITHIN = {
    ("AWS::ApiGateway::Stage", "StageName"),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "PolicyName"),
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    ("AWS::IAM::Policy", "PolicyName"),
    ("AWS::Lambda::Permission", "FunctionName"),
}


def _add(stack: Stack, world: World, number: int, combination: Combination) -> None:
    svc = Watchbot(stack, f"svc{number}", **build(combination, world))
    group = "all" if svc.queue.fifo else None
    svc.on_event(events.EventPattern(source=["shop"]), message_group_id=group)
    svc.on_schedule(scheduler.ScheduleExpression.rate(Duration.hours(1)), message_group_id=group)
    svc.subscribe_to(sns.Topic(stack, f"Theirs{number}", fifo=svc.queue.fifo))


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    """Three are in one stack, one in a stack of a stage, one in a nested one, the others in three more."""
    app = App()
    together = Stack(app, "Together")
    staged = Stack(Stage(app, "Prod"), "Staged")
    nested = NestedStack(Stack(app, "Outer"), "Nested")
    others = [Stack(app, f"Others{number}") for number in range(3)]
    scopes = [together, together, together, staged, nested, *(5 * others)]
    worlds = {stack.node.path: World(stack) for stack in dict.fromkeys(scopes)}
    for number, combination in enumerate(SETTINGS):
        _add(scopes[number], worlds[scopes[number].node.path], number, combination)
    files = sorted(Path(app.synth().directory).rglob("*.template.json"))
    return {file.name: Template(json.loads(file.read_text())) for file in files}


def test_the_settings_have_what_could_get_in_each_others_way() -> None:
    assert len({repr(combination) for combination in SETTINGS}) == len(SETTINGS)
    for argument, value in (
        ("webhook", "key"),
        ("webhook", "github"),
        ("encryption_key", "mine"),
        ("capacity", "ec2"),
        ("watchers", "Scaling"),
        ("fifo", "True"),
        ("isolation", "PROCESS"),
        ("publisher_user", "True"),
        ("reduce", "True"),
        ("notification_email", "ops"),
    ):
        assert any(value in repr(combination.get(argument)) for combination in SETTINGS), (argument, value)


def test_twenty_of_different_settings_are_one_app(templates: dict[str, Template]) -> None:
    outputs = [name for template in templates.values() for name in template.outputs if name.endswith("Watchbot")]
    assert len(outputs) == len(set(outputs)) == len(SETTINGS)
    assert max(len(template.resources) for template in templates.values()) < 500


def _physical_names(template: Template) -> Iterator[tuple[str, str]]:
    for resource in template.resources.values():
        for name, value in resource.get("Properties", {}).items():
            kind = resource["Type"]
            if (name.endswith("Name") or name == "Family") and (kind, name) not in _NAMES_WITHIN:
                text = placeholders(value)
                if not text.startswith("<"):  # the name of another resource
                    yield kind, text


def test_no_two_have_a_name_in_common(templates: dict[str, Template]) -> None:
    names = Counter(name for template in templates.values() for name in _physical_names(template))
    assert {kind for kind, _ in names} == {"AWS::ApiGateway::RestApi", "AWS::ECS::TaskDefinition", "AWS::SNS::Topic"}
    assert max(names.values()) == 1, names.most_common(3)


def _services(value: Any) -> Iterator[str]:
    """Give the value of each dimension Service in an alarm or in a task definition's setting."""
    match value:
        case {"Name": "Service" | "WATCHBOT_SERVICE", "Value": service}:
            yield placeholders(service)
        case dict():
            for part in value.values():
                yield from _services(part)
        case list():
            for part in value:
                yield from _services(part)


def _services_by_construct(templates: dict[str, Template], kind: str) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for file, template in templates.items():
        for logical_id, properties in template.of_type(kind).items():
            (construct_id,) = re.findall(r"^svc\d+(?=[A-Z])", logical_id)
            found.setdefault((file, construct_id), set()).update(_services(properties))
    return found


def test_every_service_counts_and_is_watched_under_a_name_of_its_own(templates: dict[str, Template]) -> None:
    counting = _services_by_construct(templates, "AWS::ECS::TaskDefinition")
    names = [name for services in counting.values() for name in services]
    assert len(names) == len(set(names)) == len(counting) == len(SETTINGS)
    watching = _services_by_construct(templates, "AWS::CloudWatch::Alarm")
    assert len(watching) > len(SETTINGS) / 2
    for construct_id, services in watching.items():
        assert services <= counting[construct_id]
