"""A stack of a synthesised app in the embedded AWS, with the outputs that the command line reads."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from watchbot.contract import OUTPUT_SUFFIX, Description, Isolation
from watchbot_cdk import Watchbot
from watchbot_cli.intrinsics import references
from watchbot_cli.local.emulator import Emulator

_KINDS = ("AWS::SQS::", "AWS::SNS::", "AWS::Logs::LogGroup")
_PATIENCE_SECONDS = 100


@functools.cache
def _synthesised() -> Mapping[str, Any]:
    app = App()
    stack = Stack(app, "Operated")
    image = ecs.ContainerImage.from_registry("my/worker")
    first = Watchbot(stack, "plain", image=image)
    Watchbot(
        stack,
        "ordered",
        image=image,
        cluster=first.cluster,
        isolation=Isolation.PROCESS,
        command=["true"],
        fifo=True,
    )
    template: Mapping[str, Any] = app.synth().get_stack_by_name("Operated").template
    return template


def _created_here(template: Mapping[str, Any], stack: str) -> dict[str, Any]:
    """Keep what holds messages and logs; outputs say of the rest only what it is called in the template.

    CloudFormation gives FIFO queues and topics the names that they need, the embedded one does not.
    """
    kept = {
        name: _with_fifo_name(one, f"{stack[-30:]}-{name[:30]}.fifo")
        for name, one in template["Resources"].items()
        if one["Type"].startswith(_KINDS) or _is_plain_alarm(one)
    }
    while lost := [name for name, one in kept.items() if any(not _is_known(ref, kept) for ref in references(one))]:
        kept = {name: one for name, one in kept.items() if name not in lost}
    outputs = {
        name: {"Value": _named(one["Value"], kept)}
        for name, one in template["Outputs"].items()
        if name.endswith(OUTPUT_SUFFIX)
    }
    return {"Resources": kept, "Outputs": outputs}


def _is_plain_alarm(resource: Mapping[str, Any]) -> bool:
    """Alarms on an expression are more than the embedded CloudFormation knows, and so are percentiles."""
    given = resource.get("Properties", {})
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Statistic" in given


def _with_fifo_name(resource: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    kind = {"AWS::SQS::Queue": "QueueName", "AWS::SNS::Topic": "TopicName"}.get(resource["Type"])
    given = resource.get("Properties", {})
    if kind is None or not given.get("Fifo" + kind.removesuffix("Name")):
        return resource
    return {**resource, "Properties": {**given, kind: name}}


def _is_known(name: str, kept: Mapping[str, Any]) -> bool:
    return name.startswith("AWS::") or name in kept


def _named(value: Any, kept: Mapping[str, Any]) -> Any:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return value if _is_known(name, kept) else name
        case dict():
            return {key: _named(one, kept) for key, one in value.items()}
        case list():
            return [_named(one, kept) for one in value]
        case _:
            return value


class Operated:
    """One such stack of its own, with the services ``plain`` and ``ordered``, which is FIFO, or those of a template."""

    def __init__(self, emulator: Emulator, name: str, template: Mapping[str, Any] | None = None) -> None:
        self.emulator = emulator
        self.name = name
        self.sqs: Any = emulator.client("sqs")
        self.create(name, _created_here(_synthesised() if template is None else template, name))
        (stack,) = emulator.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        found = [Description.from_json(one["OutputValue"]) for one in stack["Outputs"]]
        self.services = {one.service.rpartition("/")[2]: one for one in found}

    def create(self, name: str, template: Mapping[str, Any]) -> None:
        """Create a stack, and wait until it is there."""
        cloudformation = self.emulator.client("cloudformation")
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
        until, pause = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
        while cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
            assert time.monotonic() < until, f"stack {name} was not created"
            pause.wait(0.02)

    def command(self, *arguments: str, stack: str | None = None, service: str | None = "plain") -> list[str]:
        """Give the command as it is typed, about this stack."""
        chosen = [] if service is None else ["--service", service]
        return [sys.executable, "-m", "watchbot_cli", *arguments, "--stack", stack or self.name, *chosen]

    def environment(self, **variables: str) -> dict[str, str]:
        """Give the environment of whoever types a command."""
        return {**os.environ, **self.emulator.environment(), **variables}

    def run(
        self,
        *arguments: str,
        said: str = "",
        stack: str | None = None,
        service: str | None = "plain",
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; no traceback may come of it."""
        ran = subprocess.run(
            self.command(*arguments, stack=stack, service=service),
            input=said,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=self.environment(**variables),
        )
        assert "Traceback" not in ran.stderr
        return ran

    def counts(self, queue_url: str) -> tuple[int, int]:
        """How many messages are visible, and how many are in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def becomes(self, queue_url: str, is_so: Callable[[int, int], bool]) -> None:
        """Wait until the numbers of visible messages and of those in flight are such."""
        until, pause = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
        while not is_so(*(found := self.counts(queue_url))):
            assert time.monotonic() < until, f"{found} in the queue"
            pause.wait(0.01)
