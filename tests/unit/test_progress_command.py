from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from watchbot.progress import command
from watchbot.progress.progress import Progress
from watchbot.progress.table import Table

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _table(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(SimulatedDynamoDb(), "jobs")
    monkeypatch.setattr(command, "Progress", lambda: Progress(table))


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command.main(arguments) == 0
    return capsys.readouterr().out


def test_the_commands_of_a_job_from_its_start_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(capsys, "status", "job") == '{"progress": 0}\n'
    assert _said(capsys, "set-total", "job", "-t", "2") == ""
    assert _said(capsys, "set-metadata", "job", "--metadata", '{"colour": "red"}') == ""
    assert _said(capsys, "complete-part", "job", "--part", "1") == "false\n"
    found = json.loads(_said(capsys, "status", "job", "-p", "1"))
    assert found == {"progress": 0.5, "metadata": {"colour": "red"}, "partComplete": True}
    assert _said(capsys, "complete-part", "job", "-p", "2") == "true\n"
    assert _said(capsys, "complete-part", "job", "-p", "2") == "false\n"
    assert _said(capsys, "reduce-sent", "job") == "true\n"
    assert _said(capsys, "reduce-sent", "job") == "false\n"
    assert _said(capsys, "fail-job", "job", "-r", "too late") == ""
    listed = json.loads(_said(capsys, "list"))
    assert (listed["job"], listed["complete"], listed["failed"]) == ("job", True, "too late")
    assert _said(capsys, "delete", "job", "--dry-run") == ""
    assert _said(capsys, "delete", "job", "--yes") == ""
    assert _said(capsys, "list") == ""


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "required: command"),
        (("finish", "job"), "invalid choice: 'finish'"),
        (("status",), "status needs the id of a job"),
        (("set-total", "job"), "set-total needs --total"),
        (("set-total", "job", "-t", "many"), "invalid int value: 'many'"),
        (("set-total", "job", "-t", "0"), "total must be a whole number from 1 to 10000000, got 0"),
        (("complete-part", "job"), "complete-part needs --part"),
        (("fail-job", "job"), "fail-job needs --reason"),
        (("set-metadata", "job", "-m", "{"), "Could not parse provided metadata"),
    ],
)
def test_refuses_a_command_that_makes_no_sense_with_the_help(
    arguments: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == 1
    said = capsys.readouterr()
    assert problem in said.err
    assert "usage: watchbot-progress COMMAND [JOB] [options]" in said.err
    assert said.out == ""


def test_refuses_a_job_that_is_not_there_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["complete-part", "job", "-p", "1"]) == 1
    assert capsys.readouterr().err.startswith("watchbot-progress: there is no job 'job' in the progress table")


def test_refuses_to_delete_where_nobody_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["set-total", "job", "-t", "1"]) == 0
    assert command.main(["delete", "job"]) == 1
    assert "delete needs --yes where nobody can be asked" in capsys.readouterr().err
    assert command.main(["status", "job", "-p", "1"]) == 0


def test_every_command_of_the_runtime_is_a_tool_on_the_workers_path() -> None:
    project = tomllib.loads((ROOT / "watcher" / "pyproject.toml").read_text())["project"]
    for name, function in project["scripts"].items():
        tool = ROOT / "watcher" / "runtime" / "tools" / name
        assert tool.stat().st_mode & 0o111 == 0o111, name
        assert f'-m {function.partition(":")[0]} "$@"' in tool.read_text()
