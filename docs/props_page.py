"""Writes the reference of the construct's arguments from its signature and docstring.

``python docs/props_page.py`` writes docs/reference/props.md. Where the signature's default is None, the docstring says
what happens then in one clause with "by default", which becomes the column of defaults.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from watchbot_cdk import Watchbot

PAGE = Path(__file__).parent / "reference" / "props.md"

_SECTIONS: Mapping[str, str] = {
    "image": "The worker",
    "cluster": "Where tasks run",
    "watchers": "How many at once",
    "fifo": "The queue",
    "webhook": "Senders outside of AWS",
    "job_timeout": "Time limits",
    "notification_email": "Notifications and alarms",
    "log_retention": "The log",
    "dashboard": "The rest",
}
"""Headings by the first argument under each."""

PREDECESSOR: Mapping[str, str] = {
    "image": "v3 `service`, `serviceVersion`; v10 `image`",
    "command": "`command`",
    "environment": "v3 `env`; v10 `environment`",
    "secrets": "v10 `secrets`",
    "permissions": "v3 `permissions`",
    "cpu": "v3 `reservation.cpu`; v10 `cpu`",
    "memory_limit_mib": "v3 `reservation.memory`; v10 `memoryLimitMiB`",
    "memory_reservation_mib": "v3 `reservation.softMemory`; v10 `memoryReservationMiB`",
    "ephemeral_storage_gib": "v10 `ephemeralStorageGiB`",
    "mounts": "v3 `mounts`; v10 `mountPoints`, `volumes`",
    "privileged": "`privileged`",
    "readonly_root_filesystem": "v4 to v9 `writableFilesystem`; v10 `readonlyRootFilesystem`",
    "runtime_platform": "v10 `runtimePlatform`",
    "family": "`family`",
    "cluster": "`cluster`",
    "capacity": "v4 to v9 `capacity`",
    "vpc_subnets": "v4 to v9 `fargateSubnets`; v10 `subnets`",
    "security_groups": "v4 to v9 `fargateSecurityGroups`; v10 `securityGroups`",
    "assign_public_ip": "v4 to v9 `fargatePublicIp`; v10 `publicIP`",
    "placement_constraints": "v3 to v9 `placementConstraints`",
    "placement_strategies": "v4 to v9 `placementStrategies`",
    "watchers": "v3 `watchers`; v4 to v9 `minSize`, `maxSize`; v10 `minScalingCapacity`, `maxScalingCapacity`",
    "workers": "v3 `workers`",
    "fifo": "v10 `fifo`",
    "max_receive_count": "v4 to v9 `deadletterThreshold`; v10 `deadLetterThreshold`",
    "visibility_timeout": "v3 `messageTimeout`",
    "retention_period": "v3 `messageRetention`; v10 `retentionPeriod`",
    "webhook": "v3 `webhook`, `webhookKey`",
    "publisher_user": "v3 `user`",
    "job_timeout": "v10 `maxJobDuration`",
    "notification_email": "v3 `notificationEmail`",
    "notification_topic": "v3 `notificationTopic`; v10 `alarms.action`",
    "notify_on_each_failure": "v3 `alarmOnEachFailure`",
    "alarms": "v3 `errorThreshold`, `alarmThreshold`, `alarmPeriods`, `failedPlacementAlarmPeriods`; "
    "v4 to v9 `deadletterAlarm`; v10 `alarms`",
    "log_retention": "v10 `logGroupRetentionDays`",
    "log_format": "v10 `structuredLogging`",
    "debug": "v3 `debugLogs`",
    "log_destination": "v3 `logAggregationFunction`",
    "dashboard": "v4 to v9 `dashboard`",
    "reduce": "`reduce`",
    "watcher_image": "v3 `watchbotVersion`",
}
"""What ecs-watchbot called each; what is not here is new."""

_INTRODUCTION = """\
<!-- Written by docs/props_page.py (make props-page) from the code: change the docstring of Watchbot instead. -->

# Arguments

Of `Watchbot(scope, id, *, …)`. All are keyword-only. What cannot be is refused at synthesis, everything at once.
[The construct](construct.md) explains how they work together, and has the attributes and methods;
[coming from ecs-watchbot](../predecessor.md) what its options became. TASK and PROCESS are the members of `Isolation`.
"""
_TABLE = """\
| argument | type | default | what it is | in ecs-watchbot |
| --- | --- | --- | --- | --- |"""


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """A row of the page."""

    name: str
    kind: str
    default: str
    meaning: str

    def row(self) -> str:
        """Write it as a row of the table."""
        name, kind = f"`{self.name}`", f"`{self.kind}`"
        cells = (name, kind, self.default, self.meaning, PREDECESSOR.get(self.name, ""))
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> str:
    """Write the page."""
    parts = [_INTRODUCTION]
    for argument in arguments():
        if argument.name in _SECTIONS:
            parts.append(f"\n## {_SECTIONS[argument.name]}\n\n{_TABLE}\n")
        parts.append(f"{argument.row()}\n")
    return "".join(parts)


def arguments() -> Iterator[Argument]:
    """Read what the code says of each argument, in the order of the signature."""
    texts = described(inspect.getdoc(Watchbot) or "")
    for name, parameter in inspect.signature(Watchbot.__init__).parameters.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        kind = str(parameter.annotation).removesuffix(" | None")
        if parameter.default is None:
            default, meaning = behaviour(name, _markdown(texts[name]))
        else:
            default, meaning = _value(parameter.default), _markdown(texts[name])
        yield Argument(name, kind, default, meaning)


def described(docstring: str) -> dict[str, str]:
    """Read what a docstring says of each parameter."""
    found = re.findall(r"^:param (\w+): (.*?)(?=^:param |\n\n|\Z)", docstring, re.DOTALL | re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def behaviour(name: str, text: str) -> tuple[str, str]:
    """Divide a text into what happens by default, and the rest."""
    clauses = re.split(r"(?<=[;.]) ", text)
    telling = [number for number, clause in enumerate(clauses) if "by default" in clause]
    if len(telling) != 1 or telling[0] == 0:
        raise ValueError(f"{name} must have one clause with 'by default', after another, got {text!r}")
    (number,) = telling
    default = clauses.pop(number)
    clauses[number - 1] = clauses[number - 1][:-1] + default[-1]
    return re.sub(r"^by default | by default", "", default[:-1]), " ".join(clauses)


def _value(default: object) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    return f"`{type(default).__name__}.{default.name}`" if isinstance(default, enum.Enum) else f"`{default!r}`"


def _markdown(text: str) -> str:
    return text.replace("Isolation.", "").replace("``", "`")


if __name__ == "__main__":
    PAGE.write_text(page())
