"""Combinations of arguments, synthesised, before cfn-lint and the watcher's own parser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_cdk import App, Environment, Stack

from tests.synth.combinations import Combination, build
from tests.synth.template import Template, placeholders
from tests.synth.test_cfn_lint import findings
from tests.synth.world import World
from watchbot.contract import Isolation, Settings, SettingsError
from watchbot_cdk import Watchbot

IN_A_STACK = 5

_SETTINGS = {
    "workers": "workers",
    "max_receive_count": "max_receive_count",
    "visibility_timeout": "visibility_timeout_seconds",
    "job_timeout": "job_timeout_seconds",
    "start_timeout": "start_timeout_seconds",
    "log_rate": "log_rate_bytes",
    "log_message_bodies": "log_message_bodies",
    "debug": "debug",
}
"""Arguments that the watcher is told as they are, and its settings."""


class Reviewed:
    """Services of these arguments, a few in each stack; every other stack knows its account and region."""

    def __init__(self, combinations: Sequence[Combination]) -> None:
        self.combinations = combinations
        app = App(context={"@aws-cdk/core:stackResourceLimit": 0})
        for number in range(0, len(combinations), IN_A_STACK):
            known = Environment(account="123456789012", region="eu-west-1") if number % (2 * IN_A_STACK) else None
            self._add(Stack(app, f"Stack{number}", env=known), range(number, number + IN_A_STACK))
        self._templates = [Template(stack.template) for stack in app.synth().stacks]

    def _add(self, stack: Stack, numbers: Sequence[int]) -> None:
        world = World(stack)
        for number in numbers[: len(self.combinations) - numbers[0]]:
            combination = self.combinations[number]
            try:
                Watchbot(stack, f"svc{number}", **build(combination, world))
            except Exception as error:
                raise AssertionError(f"svc{number} of {combination}") from error

    def found_by_cfn_lint(self, stack: int) -> list[str]:
        """Say what cfn-lint finds in a stack, by its number from 0, and of which arguments."""
        return [f"{match} of {self._combination_in(str(match))}" for match in findings(self._templates[stack])]

    def _combination_in(self, finding: str) -> Combination | str:
        names = [number for number in range(len(self.combinations)) if f"svc{number}" in finding]
        return self.combinations[max(names)] if names else "no service"

    def found_by_the_watcher(self) -> list[str]:
        """Say which settings the watcher does not take, or takes for something else than was asked."""
        return [
            f"{problem} of {self.combinations[number]}"
            for template in self._templates
            for number, environment in _watchers(template)
            for problem in _problems(self.combinations[number], environment)
        ]


def _watchers(template: Template) -> Iterator[tuple[int, dict[str, str]]]:
    """Give the environments of all watchers, each with the number of its service."""
    defaults = {name: one["Default"] for name, one in template.whole.get("Parameters", {}).items() if "Default" in one}
    for name, definition in template.of_type("AWS::ECS::TaskDefinition").items():
        for container in definition["ContainerDefinitions"]:
            told = {one["Name"]: _deployed(one["Value"], defaults) for one in container.get("Environment", [])}
            if "WATCHBOT_QUEUE_URL" in told:
                number = "".join(character for character in name.removeprefix("svc")[:4] if character.isdigit())
                yield int(number), told | {"WATCHBOT_QUEUE_URL": "https://sqs.example/queue"}


def _deployed(value: Any, defaults: Mapping[str, Any]) -> str:
    """Give a value as a deployment with the parameters' defaults has it."""
    return placeholders(_with_defaults(value, defaults))


def _with_defaults(value: Any, defaults: Mapping[str, Any]) -> Any:
    match value:
        case {"Ref": str(name)} if name in defaults:
            return f"{defaults[name]:g}"
        case {"Fn::Join": [separator, parts]}:
            return {"Fn::Join": [separator, [_with_defaults(part, defaults) for part in parts]]}
    return value


def _problems(combination: Combination, environment: dict[str, str]) -> Iterator[str]:
    environment["WATCHBOT_DEAD_LETTER_QUEUE_URL"] = "https://sqs.example/letters"
    if environment["WATCHBOT_REGION"] == "<{'Ref': 'AWS::Region'}>":
        environment["WATCHBOT_REGION"] = "us-east-1"
    try:
        settings = Settings.from_env(environment)
    except SettingsError as error:
        yield str(error)
        return
    if repr(settings.isolation) != repr(combination.get("isolation", Isolation.TASK)):
        yield f"isolation {settings.isolation}"
    for argument, setting in _SETTINGS.items():
        if argument in combination and getattr(settings, setting) != combination[argument].number:
            yield f"{setting} {getattr(settings, setting)}"
