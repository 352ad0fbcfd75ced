"""The page of alarms is what descriptions name, and the dashboard's picture is of the dashboard."""

from __future__ import annotations

import dataclasses
import re
import runpy
from pathlib import Path

import pytest

from watchbot_cdk import Alarms, CpuUtilizationAlarm, MemoryUtilizationAlarm, QueueSizeAlarm
from watchbot_cdk.alarm_definitions import AlarmDefinition, WatchedService, alarm_definitions
from watchbot_cdk.alarms import PAGE as PATH
from watchbot_cdk.alarms import RUNBOOK
from watchbot_cdk.ladder import Backlog
from watchbot_cdk.metric_source import OUTSTANDING, MetricSource

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / PATH).read_text()

SOURCE = MetricSource(service="svc", queue="queue", dead_letter_queue="dead", tasks=tuple)
EVERY = Alarms(
    queue_size=QueueSizeAlarm(threshold=40),
    cpu_utilization=CpuUtilizationAlarm(),
    memory_utilization=MemoryUtilizationAlarm(),
)
SCALED = WatchedService(source=SOURCE, job_timeout=None, backlog=Backlog(OUTSTANDING, 1, 10))
DEFINITIONS = alarm_definitions(EVERY, SCALED)

pytestmark = pytest.mark.xdist_group("synth")


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_every_alarm_has_the_section_its_description_names(definition: AlarmDefinition) -> None:
    named, _, anchor = definition.description(RUNBOOK).rpartition("#")
    assert named.endswith(f". watchbot-cdk: {PATH}")
    sections = {
        heading.lower(): text for heading, text in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
    }
    assert "**Why?**" in sections[anchor]
    assert "**What to do?**" in sections[anchor]


@pytest.mark.parametrize(("argument", "definition"), [*zip(EVERY.chosen, DEFINITIONS, strict=True)])
def test_every_alarm_is_in_the_table_with_its_defaults(argument: str, definition: AlarmDefinition) -> None:
    (row,) = [
        line for line in PAGE.splitlines() if line.startswith(f"| [{definition.name}](#{definition.name.lower()})")
    ]
    assert f"| `{argument}` |" in row
    for one in dataclasses.fields(EVERY.chosen[argument]):
        if one.default not in (None, 0, 1):
            assert re.search(rf"\b{one.default}\b", row), one.name


def test_the_page_says_how_many_metrics_are_billed() -> None:
    default = alarm_definitions(Alarms(), WatchedService(source=SOURCE, job_timeout=None, backlog=None))
    assert f"{sum(len(one.series) for one in default)} by default" in PAGE
    scaled = alarm_definitions(Alarms(), SCALED)
    scaling = 4
    assert f"{sum(len(one.series) for one in scaled) + scaling} with Scaling" in PAGE


def test_the_picture_of_the_dashboard_is_of_this_dashboard() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "dashboard_picture.py"))
    assert script["PICTURE"].read_text() == script["picture"](), "run make dashboard-picture"
