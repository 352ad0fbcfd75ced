"""What was asked of a service's log."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from aws_cdk import Size
from aws_cdk import aws_logs as logs

from watchbot.contract import Isolation, Settings
from watchbot_cdk.problems import kind_problems

_LOWEST_RATE = 1024
_HIGHEST_RATE = 1_073_741_824


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogOptions:
    """The arguments of a Watchbot that say what its log holds, and where it goes."""

    message_bodies: bool
    debug: bool
    rate: Size | None
    destination: logs.ILogSubscriptionDestination | None

    @property
    def rate_bytes(self) -> int:
        """The bytes a second that workers of a task may log."""
        return Settings().log_rate_bytes if self.rate is None else int(self.rate.to_bytes())

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        yield from kind_problems("log_message_bodies", self.message_bodies, bool)
        yield from kind_problems("debug", self.debug, bool)
        yield from kind_problems("log_rate", self.rate, Size, optional=True)
        if self.destination is not None and not hasattr(self.destination, "bind"):
            yield f"log_destination must be a log subscription destination or None, got {self.destination!r}"

    def problems(self, isolation: Isolation) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        if self.rate is None:
            return
        if isolation is Isolation.TASK:
            yield "log_rate is for Isolation.PROCESS, got one with Isolation.TASK, whose workers log by themselves"
        elif self.rate.is_unresolved():
            yield "log_rate must be known at synthesis, got a value known only at deployment"
        elif not _LOWEST_RATE <= self.rate.to_bytes() <= _HIGHEST_RATE:
            yield f"log_rate must be {_LOWEST_RATE} to {_HIGHEST_RATE} bytes a second, got {self.rate.to_bytes():.12g}"
