"""``watchbot status`` and ``watchbot top``, as they are typed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.operated import Operated
from tests.acceptance.terminal import Terminal
from watchbot.contract import METRIC_NAMESPACE, METRIC_SERVICE, Description, Metric
from watchbot_cli.local.emulator import Emulator


@pytest.fixture
def running(operated: Operated) -> Iterator[Operated]:
    """The stack, and what its description says of ECS: a service of two watchers each."""
    ecs = operated.emulator.client("ecs")
    ecs.register_task_definition(
        family="watcher", containerDefinitions=[{"name": "watcher", "image": "watcher", "memory": 128}]
    )
    for one in operated.services.values():
        ecs.create_cluster(clusterName=one.cluster)
        ecs.create_service(cluster=one.cluster, serviceName=one.ecs_service, taskDefinition="watcher", desiredCount=2)
    yield operated
    for one in operated.services.values():
        ecs.delete_service(cluster=one.cluster, service=one.ecs_service, force=True)


def _write_metrics(operated: Operated, service: Description) -> None:
    """Write what a watcher did two minutes ago."""
    when = datetime.now(UTC) - timedelta(minutes=2)
    dimensions = [{"Name": METRIC_SERVICE, "Value": service.service}]
    values = {Metric.MESSAGE_RECEIVES: 30.0, Metric.WORKER_SUCCESSES: 25.0, Metric.WORKER_DURATION: 1500.0}
    data = [
        {"MetricName": name.value, "Dimensions": dimensions, "Timestamp": when, "Value": value}
        for name, value in values.items()
    ]
    operated.emulator.client("cloudwatch").put_metric_data(Namespace=METRIC_NAMESPACE, MetricData=data)


def _set_alarm_off(operated: Operated, kind: str) -> str:
    cloudformation = operated.emulator.client("cloudformation")
    resources = cloudformation.list_stack_resources(StackName=operated.name)["StackResourceSummaries"]
    name = next(
        one["PhysicalResourceId"]
        for one in resources
        if one["LogicalResourceId"].startswith(f"plainMonitors{kind}Alarm")
    )
    operated.emulator.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    return str(name)


def test_one_screen_says_how_the_service_does(running: Operated) -> None:
    plain = running.services["plain"]
    _write_metrics(running, plain)
    alarm = _set_alarm_off(running, "DeadLetter")
    for number in range(3):
        running.sqs.send_message(QueueUrl=plain.queue_url, MessageBody=str(number))
    running.sqs.receive_message(QueueUrl=plain.queue_url)
    running.sqs.send_message(QueueUrl=plain.dead_letter_queue_url, MessageBody="dead")
    ran = running.run("status", COLUMNS="200")
    assert (ran.returncode, ran.stderr) == (0, "")
    for said in (
        f"{plain.service} (task) in us-east-1\n",
        "queue         2 visible, 1 in flight, 0 delayed\n",
        "dead letters  1\n",
        " of 2 run",
        "workers       0 tasks run\n",
        "in ALARM\n",
        f"ALARM {alarm} for ",
        "What to do: read why",
    ):
        assert said in ran.stdout
    assert "\x1b" not in ran.stdout


def test_json_has_every_part_on_one_line(running: Operated) -> None:
    ordered = running.services["ordered"]
    _write_metrics(running, ordered)
    ran = running.run("status", "--json", service="ordered")
    (line,) = ran.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert (found["service"], found["isolation"]) == (ordered.service, "process")
    assert found["queue"] == {"visible": 0, "in_flight": 0, "delayed": 0}
    assert found["watchers"]["desired"] == 2
    assert found["metrics"]["per_minute"]["received"] == {"last_5_minutes": 6.0, "last_hour": 0.5}
    assert found["metrics"]["job_seconds"]["p50"] == 1.5
    assert found["metrics"]["workers"] is found["worker_tasks"] is None
    assert found["alarms"]["in_alarm"] == []
    assert found["alarms"]["count"] > 0


def test_what_is_not_there_is_said_in_its_place(operated: Operated) -> None:
    ran = operated.run("status")
    assert ran.returncode == 0
    assert "watchers      not readable: " in ran.stdout
    assert "queue         0 visible" in ran.stdout


def test_top_shows_the_service_until_q_and_gives_the_terminal_back(running: Operated) -> None:
    plain = running.services["plain"]
    command = running.command("top", "--every", "1")
    with Terminal(command, running.environment()) as terminal:
        terminal.shows("0 visible")
        running.sqs.send_message(QueueUrl=plain.queue_url, MessageBody="new")
        terminal.shows("1 visible")
        terminal.shows("since top began")
        terminal.presses("q")
        code, shown = terminal.ends()
        assert code == 0
        assert "\x1b[?1049l" in shown
        assert terminal.echoes


def test_ctrl_c_ends_top_and_gives_the_terminal_back(running: Operated) -> None:
    with Terminal(running.command("top"), running.environment()) as terminal:
        terminal.presses_ctrl_c("0 visible")
        code, shown = terminal.ends()
        assert code == 0
        assert "\x1b[?1049l" in shown
        assert "watchbot: " not in shown
        assert terminal.echoes


def test_top_fills_a_terminal_that_was_resized(running: Operated) -> None:
    with Terminal(running.command("top"), running.environment(), columns=40) as terminal:
        terminal.shows("per minute, last")
        assert "of the last hour" not in terminal.shows("\n")
        terminal.resizes(120)
        while "of the last hour" not in terminal.shows("\n"):
            terminal.shows("per minute, last")
        terminal.presses("q")
        assert terminal.ends()[0] == 0


def test_top_says_that_aws_is_gone_and_goes_on(tmp_path: Path) -> None:
    with contextlib.ExitStack() as until_the_end:
        with Emulator(tmp_path) as emulator:
            operated = Operated(emulator, "short-lived")
            command = operated.command("top", "--every", "1")
            terminal = until_the_end.enter_context(Terminal(command, operated.environment()))
            terminal.shows("0 visible")
        terminal.shows("as read before: AWS cannot be reached")
        terminal.shows("0 visible")
        terminal.presses("q")
        assert terminal.ends()[0] == 0


def test_json_lines_of_top_need_no_terminal(operated: Operated) -> None:
    command = operated.command("top", "--json", "--every", "1")
    with subprocess.Popen(command, env=operated.environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert found[0]["queue"] == found[1]["queue"] == {"visible": 0, "in_flight": 0, "delayed": 0}
    assert found[0]["read_at"] < found[1]["read_at"]


def test_refuses_to_be_live_without_a_terminal(operated: Operated) -> None:
    ran = operated.run("top")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "top needs a terminal: use watchbot status" in ran.stderr
    ran = operated.run("top", "--every", "0.1", "--json")
    assert (ran.returncode, ran.stderr) == (2, "watchbot: --every must be 1s or more, got 0.1 seconds\n")
