"""The options of every command about a deployed service: which one, where, and how to print."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from watchbot.contract import Outcome
from watchbot.result import FAILURES
from watchbot_cli.span import seconds_of

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Time(click.ParamType):  # type: ignore[type-arg] # generic in later releases of click alone
    """A time as people type it, in seconds; whole ones are whole numbers."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; raises :class:`~watchbot_cli.errors.UsageError`."""
        seconds = seconds_of(str(value), "a time" if param is None else param.opts[0])
        return int(seconds) if seconds == int(seconds) else seconds


class FileName(click.ParamType):  # type: ignore[type-arg] # generic in later releases of click alone
    """The name of a file, which a shell may complete; whoever reads the file says what is the matter with it."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse the name that an unset variable of a shell gives."""
        if not value:
            self.fail("'' is no name of a file; - is standard input or output", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Leave it to the shell, which knows the files."""
        return [CompletionItem(incomplete, type="file")]


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Which service a command is about, as it was typed; None is what the environment and the stack say."""

    stack: str
    service: str | None
    region: str | None
    profile: str | None


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as ``target`` and ``as_json``."""

    @functools.wraps(command)
    def with_target(stack: str, service: str | None, region: str | None, profile: str | None, **others: Any) -> Any:
        return command(target=Target(stack, service, region, profile), **others)

    for option in reversed(_OPTIONS):
        with_target = option(with_target)
    return with_target


def outcome_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what chooses jobs by how they ended; the command gets ``outcomes``, empty for all of them."""

    @functools.wraps(command)
    def with_outcomes(outcome: tuple[str, ...], failed: bool, **others: Any) -> Any:
        chosen = {Outcome(one) for one in outcome} | (FAILURES if failed else frozenset())
        return command(outcomes=frozenset(chosen), **others)

    for option in reversed(_OUTCOMES):
        with_outcomes = option(with_outcomes)
    return with_outcomes


_OUTCOMES = (
    click.option(
        "--outcome",
        type=click.Choice([one.value for one in Outcome]),
        metavar="OUTCOME",
        multiple=True,
        help=f"Jobs that came to this; may be given often: {', '.join(Outcome)}.",
    ),
    click.option("--failed", is_flag=True, help=f"Jobs whose worker is to blame: {', '.join(sorted(FAILURES))}."),
)
_OPTIONS = (
    click.option("--stack", "-s", metavar="NAME", required=True, help="The CloudFormation stack of the service."),
    click.option("--service", metavar="ID", help="Which Watchbot, if the stack holds several: its id or whole path."),
    click.option("--region", "-r", metavar="REGION", help="The stack's region; by default that of the environment."),
    click.option("--profile", metavar="NAME", help="The AWS profile; by default what the environment says."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line."),
)
