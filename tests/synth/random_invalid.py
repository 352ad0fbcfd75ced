"""Random values that an argument of a Watchbot cannot have, whatever the others are; a number gives always the same."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import inspect
import random
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ecs as ecs

from tests.synth.combinations import build, drawn
from tests.synth.invalid import FLAGS
from tests.synth.world import World
from watchbot_cdk import Alarms, Backoff, Capacity, ExitCodes, Mount, Scaling, Watchbot, WatchbotArgumentError, Webhook
from watchbot_cdk.alarms import (
    DeadLetterAlarm,
    DwellTimeAlarm,
    QueueSizeAlarm,
    StalledAlarm,
    WorkerErrorRateAlarm,
    WorkerErrorsAlarm,
)

_COMBINATIONS = 12
_HALF_DAY = 43_200
_TWO_WEEKS = 14 * 86_400


@dataclasses.dataclass(frozen=True)
class Wrong:
    """A value of an argument, what an error has to name, and what it has to show of the value."""

    argument: str
    value: object
    named: str
    shown: str = ""


@dataclasses.dataclass(frozen=True)
class _Range:
    """The numbers, or the seconds, that one argument or a part of it may be, and how the argument is made of one."""

    lowest: float
    highest: float
    make: Callable[[Any], object] = lambda value: value
    named: str = ""
    fractions: bool = False


def _alarm(kind: Callable[..., Any], field: str, part: str, lowest: float, highest: float, **more: Any) -> _Range:
    make = lambda value: Alarms(**{field: kind(**{part: value})})  # noqa: E731 - short
    return _Range(lowest, highest, make, f"alarms {field} {part}", **more)


_NUMBERS: Mapping[str, Sequence[_Range]] = {
    "cpu": [_Range(128, 196_608)],
    "memory_limit_mib": [_Range(6, 33_554_432)],
    "memory_reservation_mib": [_Range(6, 33_554_432)],
    "gpu_count": [_Range(1, 16)],
    "ephemeral_storage_gib": [_Range(21, 200)],
    "watchers": [
        _Range(0, 5000),
        _Range(1, 5000, lambda value: Scaling(max=value), "watchers max"),
        _Range(0, 5000, lambda value: Scaling(min=value, max=5000), "watchers min"),
    ],
    "workers": [_Range(1, 1000)],
    "max_receive_count": [_Range(1, 1000)],
    "backoff": [
        _Range(1, 60, lambda value: Backoff(base=value), "backoff base", fractions=True),
        _Range(0, 1, lambda value: Backoff(jitter=value), "backoff jitter", fractions=True),
    ],
    "exit_codes": [
        _Range(1, 255, lambda value: ExitCodes(reject=value), "exit_codes reject"),
        _Range(1, 255, lambda value: ExitCodes(noop=value), "exit_codes noop"),
        _Range(1, 255, lambda value: ExitCodes(dead_letter=value), "exit_codes dead_letter"),
    ],
    "webhook": [
        _Range(
            0,
            10_000,
            lambda value: Webhook(api_key=True, throttling_rate_limit=value),
            "webhook throttling_rate_limit",
            fractions=True,
        ),
        _Range(
            0,
            5_000,
            lambda value: Webhook(api_key=True, throttling_burst_limit=value),
            "webhook throttling_burst_limit",
        ),
    ],
    "alarms": [
        _alarm(DeadLetterAlarm, "dead_letter", "threshold", 0, 1e12, fractions=True),
        _alarm(QueueSizeAlarm, "queue_size", "periods", 1, 288),
        _alarm(WorkerErrorsAlarm, "worker_errors", "periods", 1, 1440),
        _alarm(WorkerErrorRateAlarm, "worker_error_rate", "threshold", 0, 100, fractions=True),
        _alarm(WorkerErrorRateAlarm, "worker_error_rate", "minimum_jobs", 1, 1e12),
    ],
}
_TIMES: Mapping[str, Sequence[_Range]] = {
    "visibility_timeout": [_Range(3, _HALF_DAY)],
    "retention_period": [_Range(60, _TWO_WEEKS)],
    "job_timeout": [_Range(1, _TWO_WEEKS)],
    "start_timeout": [_Range(1, _HALF_DAY)],
    "drain": [_Range(0, _HALF_DAY)],
    "log_retention": [_Range(86_400, 3653 * 86_400)],
    "backoff": [_Range(0, _HALF_DAY, lambda value: Backoff(cap=value), "backoff cap")],
    "alarms": [
        _alarm(StalledAlarm, "stalled", "after", 600, 7 * 86_400),
        _alarm(DwellTimeAlarm, "dwell_time", "threshold", 0, _TWO_WEEKS),
    ],
}


@dataclasses.dataclass(frozen=True)
class _Text:
    """A text in an argument: how the argument is made of it, which characters it never has, and how long it may be."""

    make: Callable[[str], object]
    named: str
    never: str
    longest: int | None = None


def _strategy(name: str) -> Capacity:
    return Capacity.strategy([ecs.CapacityProviderStrategy(capacity_provider=name, weight=1)])


_TEXTS: Mapping[str, Sequence[_Text]] = {
    "family": [_Text(lambda text: text, "family", " .:/%äß猫\n", 255)],
    "notification_email": [
        _Text(lambda text: text, "notification_email", " ,\n猫"),
        _Text(lambda text: ["ops@example.com", text], "notification_email", " ,\n猫"),
        _Text(lambda text: f"{text}@example.com", "notification_email", " ,\n猫", 242),
    ],
    "environment": [_Text(lambda text: {text: "x"}, "environment", "=")],
    "mounts": [_Text(lambda text: [Mount.ephemeral(f"x{text}")], "mounts container_path", "/猫 ")],
    "webhook": [
        _Text(lambda text: Webhook(api_key=True, headers=[text]), "webhook headers", " :.\n猫", 200),
        _Text(lambda text: Webhook(api_key=True, waf=f"x{text}"), "webhook waf", "/猫 :"),
    ],
    "alarms": [_Text(lambda text: Alarms(runbook_base=text), "alarms runbook_base", "#", 500)],
    "capacity": [_Text(_strategy, "capacity", " .:/猫", 255)],
}


class Refusals:
    """Draws wrong values, and what a Watchbot says of each beside others that are valid; it never creates anything."""

    def __init__(self) -> None:
        self._world = World(Stack(App(), "Refusing"))
        self._others = [build(combination, self._world) for combination in drawn(_COMBINATIONS)]

    def not_refused(self, count: int, *, first: int = 0) -> list[str]:
        """Say which of so many wrong values were taken, or refused without naming the argument and the value."""
        return [found for number in range(first, first + count) if (found := self._said(number))]

    def _said(self, number: int) -> str | None:
        chance = random.Random(number)
        wrong = _wrong(chance)
        arguments = {**chance.choice(self._others), wrong.argument: wrong.value}
        children = len(self._world.stack.node.children)
        what = f"{number}: {wrong.named} of {wrong.argument}={wrong.value!r}"
        try:
            Watchbot(self._world.stack, "svc", **arguments)
        except WatchbotArgumentError as error:
            named = any(wrong.named in one and wrong.shown in one for one in error.problems)
            return None if named and len(self._world.stack.node.children) == children else f"{what}: {error}"
        except Exception as error:  # noqa: BLE001 - whatever else it is, it names no argument
            return f"{what}: {type(error).__name__} {error}"
        return f"{what}: taken"


def _wrong(chance: random.Random) -> Wrong:
    arguments = sorted(set(inspect.signature(Watchbot.__init__).parameters) - {"self", "scope", "id"})
    match chance.choice(("number", "number", "time", "text", "kind", "kind")):
        case "number":
            argument = chance.choice(sorted(_NUMBERS))
            part = chance.choice(_NUMBERS[argument])
            number = _wrong_number(chance, part)
            return Wrong(argument, part.make(number), part.named or argument, f"got {number!r}")
        case "time":
            argument = chance.choice(sorted(_TIMES))
            part = chance.choice(_TIMES[argument])
            return Wrong(argument, part.make(_wrong_time(chance, part)), part.named or argument, "got ")
        case "text":
            argument = chance.choice(sorted(_TEXTS))
            return _wrong_text(chance, argument, chance.choice(_TEXTS[argument]))
    argument = chance.choice(arguments)
    return Wrong(argument, _junk(chance, argument), argument, "got ")


def _wrong_number(chance: random.Random, part: _Range) -> object:
    far = 10 ** chance.uniform(-3, 18)
    within = chance.uniform(part.lowest, part.highest)
    wrong: list[object] = [part.lowest - far, part.highest + far, float("nan"), float("inf"), float("-inf"), True]
    wrong += [int(part.lowest) - chance.randint(1, 10**6), int(part.highest) + chance.randint(1, 10**6)]
    wrong += [str(int(within)), [int(within)]]
    if not part.fractions:
        wrong += [int(within) + chance.uniform(0.001, 0.999)]
    return chance.choice(wrong)


def _wrong_time(chance: random.Random, part: _Range) -> object:
    lowest, highest = int(part.lowest), int(part.highest)
    wrong: list[object] = [
        Duration.seconds(highest + chance.randint(1, 10**9)),
        Duration.millis(1000 * chance.randint(lowest, highest - 1) + chance.randint(1, 999)),
        chance.randint(lowest, highest),
        f"{chance.randint(lowest, highest)}s",
        datetime.timedelta(seconds=chance.randint(lowest, highest)),
    ]
    if lowest:
        wrong.append(Duration.seconds(chance.randint(0, lowest - 1)))
    return chance.choice(wrong)


def _wrong_text(chance: random.Random, argument: str, part: _Text) -> Wrong:
    if part.longest is not None and chance.random() < 1 / 4:
        return Wrong(argument, part.make("a" * (part.longest + chance.randint(1, 1000))), part.named)
    text = _text(chance) + chance.choice(part.never) + _text(chance)
    return Wrong(argument, part.make(text), part.named, repr(text)[1:-1])


def _text(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randint(0, 12)))


def _junk(chance: random.Random, argument: str) -> object:
    """Draw something that is of no kind that any argument takes, or of none that this one does."""
    number = chance.choice((-chance.randint(1, 10**9), chance.uniform(-1, 0) - 1e-9))
    junk: list[object] = [
        number,
        [_text(chance), number],
        (number,),
        {_text(chance): number},
        {number},
        _text(chance).encode(),
        complex(number),
        decimal.Decimal(number),
        datetime.timedelta(seconds=number),
        object(),
        int,
        lambda: number,
    ]
    if argument not in FLAGS:
        junk.append(chance.choice((True, False)))
    if argument != "family":
        junk.append(_text(chance))
    return chance.choice(junk)
