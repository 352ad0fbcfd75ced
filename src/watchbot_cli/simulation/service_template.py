"""A service as its template describes it: what of it matters to a simulation."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchbot.backoff import Backoff
from watchbot.contract import PREFIX, Isolation, LaunchType, Metric, Settings, SettingsError, is_connection_setting
from watchbot_cli.described import find_described
from watchbot_cli.errors import UsageError
from watchbot_cli.intrinsics import references
from watchbot_cli.simulation.policy_template import TARGET, Policies
from watchbot_cli.simulation.schedule import Schedule
from watchbot_cli.simulation.setting import PROCESS_WALL_SECONDS, ScheduledLimits, Setting, Size
from watchbot_cli.simulation.template import Template

_SERVICE = "AWS::ECS::Service"
_TASK_DEFINITION = "AWS::ECS::TaskDefinition"
_SPOT = "FARGATE_SPOT"
_CPU_UNITS = 1024
_UNKNOWN = "known only at deployment"
_OUT, _IN, _SCHEDULED = "DynamicScalingOutSuspended", "DynamicScalingInSuspended", "ScheduledScalingSuspended"
"""https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html"""

_FREE = Size(0, 0, public_ip=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """An ECS service of a template, and the name by which people know it."""

    name: str
    template: Template
    service: str

    def is_meant_by(self, wanted: str) -> bool:
        """Whether ``--service`` means it."""
        return wanted in (self.name, self.name.rpartition("/")[2], self.service)


def find_setting(templates: Mapping[str, Mapping[str, Any]], wanted: str | None) -> Setting:
    """Read the service that is wanted, or the only one; raises :class:`UsageError`."""
    try:
        return _find(templates, wanted)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"part of the template is not as cdk synth writes it: {error!r}") from error


def _find(templates: Mapping[str, Mapping[str, Any]], wanted: str | None) -> Setting:
    found = [one for stack, body in templates.items() for one in _services(stack, body)]
    names = ", ".join(one.name for one in found)
    if not found:
        nested = any("AWS::CloudFormation::Stack" in str(body) for body in templates.values())
        where = ": those of nested stacks are in templates of their own, for --template" if nested else ""
        raise UsageError(f"the template holds no ECS service{where}")
    chosen = [one for one in found if wanted is None or one.is_meant_by(wanted)]
    if not chosen:
        raise UsageError(f"--service {wanted!r} is not in the template, which holds {names}")
    if len(chosen) > 1:
        raise UsageError(f"several services, say with --service which of {', '.join(one.name for one in chosen)}")
    return _read(chosen[0], of=len(found))


def _services(stack: str, body: Mapping[str, Any]) -> Iterator[Found]:
    template = Template(body)
    names = {}
    for one in find_described({stack: body}):
        service = template.referred(one.intrinsic(one.description.ecs_service), _SERVICE)
        names[service] = one.name
    for service, _ in template.of_type(_SERVICE):
        yield Found(names.get(service, service), template, service)


def _read(found: Found, *, of: int) -> Setting:
    template = found.template
    service = template.properties(found.service)
    definition = template.referred(service.get("TaskDefinition"), _TASK_DEFINITION)
    if definition is None:
        raise UsageError(f"the task definition of {found.name} is not in its template")
    environment = _environment(template, definition)
    watcher = _watcher(found, environment)
    is_task = watcher is not None and watcher.isolation is Isolation.TASK
    setting = Setting(
        name=found.name,
        minimum=0,
        maximum=0,
        workers=watcher.workers if watcher else 1,
        isolation=Isolation.TASK if is_task else Isolation.PROCESS,
        protected=watcher is not None and not is_task,
        visibility_seconds=watcher.visibility_timeout_seconds if watcher else 180.0,
        max_receives=_max_receives(template, watcher),
        job_timeout_seconds=_job_timeout_seconds(watcher),
        backoff=_backoff(watcher),
        size=_size(template, definition, public_ip=_has_public_ip(service)),
        spot_share=_spot_share(service),
        fifo=_is_fifo(template, environment),
        least_healthy=_deployment_share(template, service, "MinimumHealthyPercent", 100),
        most_running=_deployment_share(template, service, "MaximumPercent", 200),
        alarm_metrics=_alarm_metrics(template, of),
        custom_metrics=len(Metric) if watcher else 0,
    )
    if watcher is not None and is_task:
        setting = _with_workers(setting, template, watcher, environment)
    elif _is_on_instances(service):
        setting = dataclasses.replace(setting, size=_FREE, notes=(_instances_note("tasks"),))
    return _with_policies(setting, found, service)


def _with_workers(setting: Setting, template: Template, watcher: Settings, environment: Mapping[str, Any]) -> Setting:
    """Add the tasks in which jobs run."""
    weights = dict(watcher.task_capacity)
    on_fargate = watcher.task_launch_type is LaunchType.FARGATE and all(one.startswith("FARGATE") for one in weights)
    worker = template.referred(environment.get(f"{PREFIX}TASK_DEFINITION"), _TASK_DEFINITION)
    size = _size(template, worker, public_ip=watcher.task_public_ip) if worker and on_fargate else _FREE
    return dataclasses.replace(
        setting,
        worker_size=size,
        spot_share=weights.get(_SPOT, 0) / (sum(weights.values()) or 1),
        notes=() if on_fargate else (_instances_note("workers"),),
    )


def _with_policies(setting: Setting, found: Found, service: Mapping[str, Any]) -> Setting:
    """Add the policies of the service's scalable target; without one the number of tasks is fixed."""
    template = found.template
    for target, properties in template.of_type(TARGET):
        if found.service not in references(properties.get("ResourceId")):
            continue
        policies = Policies(template, target)
        suspended = [
            what
            for what, value in properties.get("SuspendedState", {}).items()
            if template.truth(value, f"the {what} of {target}")
        ]
        actions = [] if _SCHEDULED in suspended else properties.get("ScheduledActions", [])
        return dataclasses.replace(
            setting,
            scales_out=_OUT not in suspended,
            scales_in=_IN not in suspended,
            minimum=template.whole(properties.get("MinCapacity"), f"the MinCapacity of {target}"),
            maximum=template.whole(properties.get("MaxCapacity"), f"the MaxCapacity of {target}"),
            steps=policies.steps,
            tracking=policies.tracking,
            scheduled=[_limits(template, target, one) for one in actions],
            notes=(*setting.notes, *policies.notes, *(f"{target} has {what}" for what in suspended)),
        )
    count = template.whole(service.get("DesiredCount", 1), f"the DesiredCount of {found.name}")
    return dataclasses.replace(setting, minimum=count, maximum=count)


def _limits(template: Template, target: str, action: Mapping[str, Any]) -> ScheduledLimits:
    name = f"{action.get('ScheduledActionName')} of {target}"
    limits: Mapping[str, Any] = action.get("ScalableTargetAction", {})
    minimum, maximum = limits.get("MinCapacity"), limits.get("MaxCapacity")
    return ScheduledLimits(
        Schedule.read(str(action.get("Schedule")), name),
        None if minimum is None else template.whole(minimum, f"the MinCapacity of {name}"),
        None if maximum is None else template.whole(maximum, f"the MaxCapacity of {name}"),
    )


def _environment(template: Template, definition: str) -> Mapping[str, Any]:
    """Join the variables of all containers; a Watchbot's watcher is the only one that has its settings."""
    containers: Sequence[Mapping[str, Any]] = template.properties(definition).get("ContainerDefinitions", [])
    return {one["Name"]: one.get("Value") for container in containers for one in container.get("Environment", [])}


def _watcher(found: Found, environment: Mapping[str, Any]) -> Settings | None:
    """Read the watcher's settings; None where the service is no Watchbot."""
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    if f"{PREFIX}QUEUE_URL" not in ours:
        return None
    known = {field.metadata["name"] for field in dataclasses.fields(Settings)}
    read = {name: value for name, value in ours.items() if name in known and not is_connection_setting(name)}
    texts = {name: found.template.text(value) or _UNKNOWN for name, value in read.items()}
    try:
        return Settings.from_env({**texts, f"{PREFIX}QUEUE_URL": "https://queue/queue", **_without_urls(texts)})
    except SettingsError as error:
        raise UsageError(f"the watcher of {found.name} cannot be simulated: {error}") from error


def _without_urls(texts: Mapping[str, str]) -> Mapping[str, str]:
    """Give an address to those that must be one and are known only at deployment."""
    return {name: "https://queue/queue" for name in texts if name.endswith("_URL")}


def _is_fifo(template: Template, environment: Mapping[str, Any]) -> bool:
    queue = template.referred(environment.get(f"{PREFIX}QUEUE_URL"), "AWS::SQS::Queue")
    return queue is not None and bool(template.properties(queue).get("FifoQueue"))


def _deployment_share(template: Template, service: Mapping[str, Any], name: str, default: float) -> float:
    """Give a share of the number desired, within which a deployment stops and starts tasks.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
    """
    return template.number(service.get("DeploymentConfiguration", {}).get(name, default), f"the {name}") / 100


def _max_receives(template: Template, watcher: Settings | None) -> int | None:
    """Give after how many receives a message is dead-lettered; None where it never is, or several queues differ."""
    if watcher is not None:
        return watcher.max_receive_count if watcher.dead_letter_queue_url is not None else None
    policies = [queue["RedrivePolicy"] for _, queue in template.of_type("AWS::SQS::Queue") if "RedrivePolicy" in queue]
    counts = {template.whole(one.get("maxReceiveCount"), "a maxReceiveCount") for one in policies}
    return counts.pop() if len(counts) == 1 else None


def _job_timeout_seconds(watcher: Settings | None) -> float:
    if watcher is None:
        return math.inf
    longest = math.inf if watcher.isolation is Isolation.TASK else PROCESS_WALL_SECONDS
    return min(watcher.job_timeout_seconds or math.inf, longest)


def _backoff(watcher: Settings | None) -> Backoff:
    if watcher is None:
        return Backoff()
    return Backoff(watcher.backoff_base, watcher.backoff_cap_seconds, watcher.backoff_jitter)


def _size(template: Template, definition: str, *, public_ip: bool) -> Size:
    properties = template.properties(definition)
    return Size(
        vcpu=template.number(properties.get("Cpu", 0), f"the Cpu of {definition}") / _CPU_UNITS,
        memory_gib=template.number(properties.get("Memory", 0), f"the Memory of {definition}") / 1024,
        arm=properties.get("RuntimePlatform", {}).get("CpuArchitecture") == "ARM64",
        public_ip=public_ip,
    )


def _has_public_ip(service: Mapping[str, Any]) -> bool:
    network = service.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
    return bool(network.get("AssignPublicIp") == "ENABLED")


def _strategy(service: Mapping[str, Any]) -> Mapping[str, float]:
    return {
        str(one.get("CapacityProvider")): float(one.get("Weight", 0))
        for one in service.get("CapacityProviderStrategy", [])
    }


def _spot_share(service: Mapping[str, Any]) -> float:
    weights = _strategy(service)
    return weights.get(_SPOT, 0.0) / (sum(weights.values()) or 1)


def _is_on_instances(service: Mapping[str, Any]) -> bool:
    providers = _strategy(service)
    return service.get("LaunchType") == "EC2" or any(not one.startswith("FARGATE") for one in providers)


def _instances_note(what: str) -> str:
    return f"the {what} run on instances, whose price is not known: their compute counts as 0"


def _alarm_metrics(template: Template, of: int) -> int:
    """Count what the alarms watch; several services of a template share them evenly."""
    watched = sum(
        sum("MetricStat" in query for query in properties.get("Metrics", [])) or 1
        for _, properties in template.of_type("AWS::CloudWatch::Alarm")
    )
    return -(-watched // of)
