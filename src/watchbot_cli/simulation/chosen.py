"""Which services are simulated: those of the templates, with other limits where others were asked for."""

from __future__ import annotations

import dataclasses
import itertools
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchbot_cli.assembly import synthesise
from watchbot_cli.errors import UsageError
from watchbot_cli.simulation.asked import Asked
from watchbot_cli.simulation.peers import MOST_TASKS, peers
from watchbot_cli.simulation.resizing import resized
from watchbot_cli.simulation.service_template import find_setting
from watchbot_cli.simulation.setting import Setting
from watchbot_cli.standard_input import standard_input

_MOST_WORKERS = 1000
"""Of one watcher, as its settings say."""


def chosen(asked: Asked) -> list[Setting]:
    """Give the settings: each service with each combination of limits, and what the first is compared with."""
    settings = [variant for setting in _settings(asked) for variant in _variants(setting, asked)]
    if asked.compare:
        settings += peers(settings[0])
    return settings


def _settings(asked: Asked) -> Sequence[Setting]:
    if asked.templates and asked.app is not None:
        raise UsageError("--app and --template are two ways to name a service: give one of them")
    if not asked.templates:
        with tempfile.TemporaryDirectory(prefix="watchbot-simulate-") as folder:
            return [find_setting(synthesise(asked.app, Path(folder)).templates, asked.service)]
    found = [find_setting({_stack_of(file): _template(file)}, asked.service) for file in asked.templates]
    if len(found) == 1:
        return found
    return [dataclasses.replace(one, name=file) for one, file in zip(found, asked.templates, strict=True)]


def _stack_of(file: str) -> str:
    return "standard input" if file == "-" else Path(file).stem


def _template(file: str) -> Mapping[str, Any]:
    try:
        body = json.loads(standard_input() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        raise UsageError(f"--template {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--template {file} is no JSON, as cdk synth writes it into cdk.out: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
        raise UsageError(f"--template {file} is no CloudFormation template: it has no Resources")
    return body


def _variants(setting: Setting, asked: Asked) -> Sequence[Setting]:
    """Apply ``--min``, ``--max`` and ``--workers``; where one is given more than once, the name says which it is."""
    _limited("--min", asked.minima, MOST_TASKS)
    _limited("--max", asked.maxima, MOST_TASKS)
    _limited("--workers", asked.workers, _MOST_WORKERS)
    given = {"min": asked.minima, "max": asked.maxima, "workers": asked.workers}
    several = [name for name, values in given.items() if len(values) > 1]
    found = []
    for values in itertools.product(*(values or (None,) for values in given.values())):
        variant = _overridden(setting, *values, spot=bool(asked.spot_interruptions))
        said = [f"{name}={value}" for name, value in zip(given, values, strict=True) if name in several]
        found.append(dataclasses.replace(variant, name=", ".join([variant.name, *said])))
    return found


def _overridden(
    setting: Setting, minimum: int | None, maximum: int | None, workers: int | None, *, spot: bool
) -> Setting:
    """Apply one combination: the steps become those that Scaling synthesises for it."""
    minimum = setting.minimum if minimum is None else minimum
    maximum = setting.maximum if maximum is None else maximum
    workers = setting.workers if workers is None else workers
    if minimum > maximum:
        raise UsageError(f"--min must be at most the maximum, which is {maximum}, got {minimum}: give a larger --max")
    found = resized(dataclasses.replace(setting, minimum=minimum, maximum=maximum, workers=workers), setting)
    if spot and not setting.spot_share:
        note = "no job runs on Spot, so --spot-interruptions change nothing"
        return dataclasses.replace(found, notes=(*found.notes, note))
    return found


def _limited(option: str, values: Sequence[int], most: int) -> None:
    for value in values:
        if value > most:
            raise UsageError(f"{option} must be at most {most:,}, got {value:,}")
