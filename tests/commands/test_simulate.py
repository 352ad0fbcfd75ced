"""``watchbot simulate`` as it is typed."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from tests.unit.simulation.settings import scaled
from tests.unit.simulation.templates import watchbot
from watchbot_cli.errors import CommandError
from watchbot_cli.main import cli
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.peers import peers
from watchbot_cli.simulation.report import row, show
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.setting import Conditions
from watchbot_cli.simulation.workload import burst

RUN_KEYS = {
    "name", "isolation", "min", "max", "workers", "jobs", "finished", "wait_seconds", "drain_seconds", "tasks_started",
    "most_running", "killed", "interrupted", "timed_out", "dead_lettered",
    "refused_protection", "task_hours", "cost_usd", "notes", "timeline",
}  # fmt: skip


@pytest.fixture
def template(tmp_path: Path) -> str:
    file = tmp_path / "Stack.template.json"
    file.write_text(json.dumps(watchbot(WORKERS="2")))
    return str(file)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["simulate", *arguments])


def _json(*arguments: str) -> Mapping[str, Any]:
    ran = _run(*arguments, "--json")
    assert ran.exit_code == 0, ran.output
    found: Mapping[str, Any] = json.loads(ran.stdout)
    return found


def _refused(*arguments: str) -> str:
    ran = _run(*arguments)
    assert isinstance(ran.exception, CommandError), ran.output
    assert ran.exception.exit_code == 2
    return str(ran.exception)


def test_it_prints_waits_tasks_costs_and_a_drawing(template: str) -> None:
    ran = _run("--template", template, "--jobs", "40")
    assert ran.exit_code == 0, ran.output
    for word in ("40 jobs of 60 s", "wait p50", "task-hours", "Stack/svc", "public IPv4", "█", "messages", "tasks"):
        assert word in ran.stdout


@pytest.mark.parametrize("width", [20, 80, 200])
def test_no_figure_is_cut_in_a_narrow_terminal(width: int) -> None:
    prices = Prices.read()
    runs = [Run.of(one, burst(40, lambda: 60), Conditions(), prices) for one in (scaled(4), *peers(scaled(4)))]
    console = Console(width=width, file=io.StringIO(), record=True)
    show(console, runs, burst(40, lambda: 60), prices)
    said = " ".join(console.export_text().split())
    assert [figure for run in runs for figure in row(run)[1:] if figure not in said] == []


def test_its_json_has_a_schema(template: str) -> None:
    found = _json("--template", template, "--jobs", "10", "--duration", "5")
    assert found.keys() == {"version", "workload", "conditions", "prices", "runs"}
    assert (found["version"], found["workload"]) == (1, {"jobs": 10, "mean_seconds": 5})
    (run,) = found["runs"]
    assert run.keys() == RUN_KEYS
    assert run["wait_seconds"].keys() == {"p50", "p95", "max", "mean"}
    assert run["cost_usd"]["total"] == pytest.approx(sum(v for k, v in run["cost_usd"].items() if k != "total"))
    assert (run["finished"], run["killed"]) == (10, 0)


def test_it_compares_with_other_ways_to_scale(template: str) -> None:
    runs = _json("--template", template, "--jobs", "100", "--compare")["runs"]
    assert [one["name"] for one in runs] == [
        "Stack/svc",
        "QueueProcessingFargateService",
        "ecs-watchbot 10",
        "target tracking, waiting",
        "target tracking, outstanding",
    ]
    assert all(one["max"] == 4 for one in runs)


def test_several_templates_are_compared_by_their_names(template: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(watchbot(WORKERS="4")))
    runs = _json("--template", template, "--template", str(other), "--jobs", "100")["runs"]
    assert [(one["name"], one["workers"]) for one in runs] == [(template, 2), (str(other), 4)]
    assert runs[1]["drain_seconds"] < runs[0]["drain_seconds"]


def test_its_page_needs_nothing_from_elsewhere(template: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    ran = _run("--template", template, "--jobs", "100", "--compare", "--html", str(file))
    assert ran.exit_code == 0, ran.output
    page = file.read_text()
    assert not re.search(r"https?:|src=|href=|<script", page)
    assert page.count("<figure>") == 2 + 5 * 2  # all together, and each by itself
    assert page.count("<tr>") == 6
    assert "NaN" not in page
    assert "inf" not in page


@pytest.mark.parametrize(
    "conditions",
    [
        ("--rate", "5/min", "--for", "30min", "--distribution", "lognormal"),
        ("--deploy-at", "5min", "--deploy-at", "10min", "--duration", "10min"),
        ("--idle-before", "8h"),
        ("--spot-interruptions", "2", "--task-start", "20", "--metric-delay", "2min"),
    ],
    ids=lambda options: options[0],
)
def test_every_condition_is_simulated(template: str, conditions: tuple[str, ...]) -> None:
    jobs = () if "--rate" in conditions else ("--jobs", "50")
    (run,) = _json("--template", template, *jobs, *conditions)["runs"]
    assert run["finished"] == run["jobs"] > 0


def test_a_process_that_would_take_longer_than_a_message_is_leased_is_said_never_to_end(template: str) -> None:
    ran = _run("--template", template, "--jobs", "3", "--duration", "20h")
    assert ran.exit_code == 0, ran.output
    assert "a job may take 11.9 h at most: 30 times one was stopped, and tried again" in ran.stdout
    assert "dead-lettered after 10 receives, with no job done: 3" in ran.stdout


def test_interruptions_of_a_service_that_is_not_on_spot_are_said_to_change_nothing(template: str) -> None:
    assert "no job runs on Spot" in _run("--template", template, "--jobs", "1", "--spot-interruptions", "1").stdout
    assert "no job runs on Spot" not in _run("--template", template, "--jobs", "1").stdout


def test_a_terminal_without_blocks_gets_all_figures(template: str) -> None:
    ran = CliRunner(charset="ascii").invoke(cli, ["simulate", "--template", template, "--jobs", "1"])
    assert ran.exit_code == 0, ran.output
    assert "Stack/svc" in ran.stdout


def test_a_trace_is_a_workload(template: str, tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("0,10\n3600,10\n")
    assert _json("--template", template, "--trace", str(file))["runs"][0]["jobs"] == 2


def test_it_prints_what_a_million_messages_cost() -> None:
    assert "TASK" in _run("--costs").stdout
    assert _json("--costs", "--duration", "2", "--task-start", "30")["job_seconds"] == 2


@pytest.mark.parametrize(
    "option",
    [("--jobs", "5"), ("--template", "x"), ("--workers", "4"), ("--compare",), ("--html", "x"), ("--seed", "1")],
)
def test_refuses_what_costs_do_not_depend_on(option: tuple[str, ...]) -> None:
    assert f"--task-start and --json only, got {option[0]}: its tasks" in _refused("--costs", *option)


@pytest.fixture
def fixed(tmp_path: Path) -> str:
    """A template whose service always has one task."""
    file = tmp_path / "Fixed.template.json"
    body = watchbot()
    for name in ("Target", "In", "Out", "InAlarm", "OutAlarm"):
        del body["Resources"][name]
    file.write_text(json.dumps(body))
    return str(file)


def test_each_combination_of_limits_is_simulated_and_named(fixed: str) -> None:
    options = ("--min", "2", "--max", "2", "--workers", "1", "--workers", "3")
    runs = _json("--template", fixed, "--jobs", "12", *options)["runs"]
    assert [(one["name"], one["min"], one["workers"]) for one in runs] == [
        ("Stack/svc, workers=1", 2, 1),
        ("Stack/svc, workers=3", 2, 3),
    ]
    assert runs[1]["drain_seconds"] < runs[0]["drain_seconds"]


def test_its_page_says_what_was_asked(fixed: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    ran = _run("--template", fixed, "--rate", "5/min", "--for", "10min", "--deploy-at", "60", "--html", str(file))
    assert ran.exit_code == 0, ran.output
    for said in ("--rate 5/min", "--for 10min", "--duration 60", "--distribution fixed", "--seed 1", "--deploy-at 60"):
        assert said in file.read_text()


def test_refuses_two_limits_for_a_number_of_tasks_that_never_changes(fixed: str) -> None:
    with_template = ("--template", fixed, "--jobs", "4")
    assert "--min must be at most the maximum, which is 1, got 4: give a larger --max" in _refused(
        *with_template, "--min", "4"
    )
    assert "give --min and --max the same number, got 1 and 8" in _refused(*with_template, "--max", "8")
    assert _json(*with_template, "--min", "4", "--max", "4")["runs"][0]["most_running"] == 4


def test_refuses_what_cannot_be(template: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    no_template = tmp_path / "list.json"
    no_template.write_text("[]")
    with_template = ("--template", template)
    assert "is no JSON" in _refused("--template", str(broken))
    assert "is no CloudFormation template" in _refused("--template", str(no_template))
    assert "cannot be read" in _refused("--template", str(tmp_path / "none.json"))
    assert "two ways to name a service" in _refused(*with_template, "--app", "x")
    assert "are workloads of their own" in _refused(*with_template, "--jobs", "5", "--rate", "5/min")
    assert "--duration must be above 0" in _refused(*with_template, "--duration", "0")
    assert "at most 5,000,000" in _refused(*with_template, "--rate", "1000000/s", "--for", "1h")
    assert "--min must be at most the maximum, which is 3" in _refused(*with_template, "--min", "9", "--max", "3")
    assert "--min must be at most the maximum, which is 4" in _refused(*with_template, "--min", "9")
    assert "whose steps are not those of Scaling" in _refused(*with_template, "--max", "9")
    assert "--for goes with --rate, got '1h' without one" in _refused(*with_template, "--for", "1h")
    assert "--for must be above 0" in _refused(*with_template, "--rate", "1/s", "--for", "0")
    assert "--for must be a year at most" in _refused(*with_template, "--rate", "1/d", "--for", "400d")
    assert "--start must be in the years" in _refused(*with_template, "--start", "9999-12-31T23:59")
    assert "a number from 0 to 60, got nan" in _refused(*with_template, "--spot-interruptions", "nan")
    assert "--html must be the name of a file, got -" in _refused(*with_template, "--html", "-")
    assert "--max must be at most 5,000" in _refused(*with_template, "--max", "5001")
    assert "--workers must be at most 1,000" in _refused(*with_template, "--workers", "1001")
    assert "is not in the template" in _refused(*with_template, "--service", "other")


def test_a_page_that_cannot_be_written_is_a_sentence(template: str, tmp_path: Path) -> None:
    ran = _run("--template", template, "--jobs", "1", "--html", str(tmp_path / "none" / "page.html"))
    assert isinstance(ran.exception, CommandError)
    assert "cannot be written" in str(ran.exception)
