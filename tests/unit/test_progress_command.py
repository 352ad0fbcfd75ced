from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path

import pytest
from bench.progress.dynamodb import SimulatedDynamoDb

from tests.unit.published import TOPIC, Sns
from watchbot import __version__
from watchbot.progress import command, topic
from watchbot.progress.progress import Progress
from watchbot.progress.table import Table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Sns:
    published = Sns()
    monkeypatch.setattr(topic, "_client", lambda region: published)
    monkeypatch.setenv("WorkTopic", TOPIC)
    return published


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
    assert found == {"progress": 0.5, "total": 2, "remaining": 1, "metadata": {"colour": "red"}, "partComplete": True}
    assert _said(capsys, "pending", "job") == "2\n"
    assert _said(capsys, "complete-part", "job", "-p", "2") == "true\n"
    assert _said(capsys, "pending", "job") == ""
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
    ("arguments", "says"),
    [
        (("set-total", "-t", "3"), ""),
        (("set-total", "--total=3"), ""),
        (("complete-part", "-p", "1"), "false\n"),
        (("complete-part", "-p1"), "false\n"),
        (("status", "--part", "1"), '"partComplete": false'),
        (("set-metadata", "-m", "{}"), ""),
        (("fail-job", "--reason", "too late"), ""),
        (("delete", "--yes"), ""),
        (("delete", "--dry-run"), ""),
    ],
)
def test_options_may_stand_anywhere(arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    command_name, *options = arguments
    for line in ([command_name, "job", *options], [command_name, *options, "job"], [*options, command_name, "job"]):
        assert command.main(["set-total", "job", "-t", "3"]) == 0
        assert says in _said(capsys, *line)


def test_as_many_parts_that_are_not_done_are_printed_as_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(capsys, "set-total", "job", "-t", "100") == ""
    assert _said(capsys, "pending", "job", "--limit", "3") == "1\n2\n3\n"


def test_a_jobs_id_may_begin_with_a_dash_after_two_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(capsys, "set-total", "-t", "2", "--", "-job") == ""
    assert json.loads(_said(capsys, "list"))["job"] == "-job"


def test_the_command_says_of_which_release_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command.main(["--version"])
    assert capsys.readouterr().out == f"watchbot-progress {__version__}\n"


def _reads(monkeypatch: pytest.MonkeyPatch, lines: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))


def test_a_job_is_started_of_lines_and_its_last_part_sends_the_reduce_message(
    sns: Sns, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # a start that is repeated sends nothing again
        _reads(monkeypatch, b'{"tile": 7}\n\n{"tile": 8}')
        assert _said(capsys, "map-reduce", "job", "-m", '{"colour": "red"}') == ""
    shared = {"jobid": "job", "metadata": {"colour": "red"}}
    assert sns.messages == [{"tile": 7, "partid": 1, **shared}, {"tile": 8, "partid": 2, **shared}]
    sns.entries.clear()
    assert _said(capsys, "complete-part", "job", "-p", "1", "--reduce") == "false\n"
    assert _said(capsys, "complete-part", "job", "-p", "2", "--reduce") == "true\n"
    assert [one["Subject"] for one in sns.entries] == ["reduce"]
    assert sns.messages == [shared]
    assert _said(capsys, "complete-part", "job", "-p", "2", "--reduce") == "false\n"
    assert json.loads(_said(capsys, "status", "job"))["reduceSent"]


def test_a_reduce_message_that_is_owed_is_sent_when_its_part_comes_back(
    sns: Sns, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _said(capsys, "set-total", "job", "-t", "1") == ""
    assert _said(capsys, "complete-part", "job", "-p", "1") == "true\n"  # and its worker died
    assert _said(capsys, "complete-part", "job", "-p", "1", "--reduce") == "true\n"
    assert len(sns.entries) == 1


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (b"", "standard input must be a line with a JSON object for each part, got 'no line'"),
        (b"\n \n", "standard input must be a line with a JSON object for each part"),
        (b'{"a": 1}\n{"a": ', "line 2 must be a JSON object, got '{\"a\":'"),
        (b'{"a": 1}\n[1]\n', "line 2 must be a JSON object, got [1]"),
        (b'{"a": NaN}', "line 1 must be a JSON object, got '{\"a\": NaN}'"),
        (b'{"a": 1}\n{"a": [-1e999]}', "line 2 must be a JSON object, got '{\"a\": [-1e999]}'"),
        (b'{"a": 1}\n{"jobid": 1}\n', "line 2 must be without jobid, which the message says itself"),
        (
            b'{}\n{"a": "' + b"x" * 270_000 + b'"}\n',
            "line 2 must be a message of at most 262144 bytes, with all that it says, got '2700",
        ),
        (b"\xff\n", "line 1 must be a JSON object"),
        (b"[" * 100_000, "line 1 must be a JSON object"),
    ],
)
def test_refuses_lines_that_are_no_parts_before_anything_is_sent(
    lines: bytes, problem: str, sns: Sns, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _reads(monkeypatch, lines)
    assert command.main(["map-reduce", "job"]) == 1
    assert problem in capsys.readouterr().err
    assert sns.entries == []
    assert _said(capsys, "list") == ""


@pytest.mark.parametrize("total", ["1", "3"])
def test_refuses_more_or_fewer_lines_than_were_announced(
    total: str, sns: Sns, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _reads(monkeypatch, b"{}\n{}\n")
    assert command.main(["map-reduce", "job", "-t", total]) == 1
    assert f"lines must be as many as the total, which is {total}, got 2" in capsys.readouterr().err
    assert sns.entries == []
    assert _said(capsys, "list") == ""


@pytest.mark.parametrize("arguments", [("map-reduce", "job"), ("complete-part", "job", "-p", "1", "--reduce")])
def test_refuses_a_topic_that_is_missing_before_anything_is_noted(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WorkTopic", raising=False)
    _reads(monkeypatch, b"{}\n")
    assert command.main(arguments) == 1
    assert "WorkTopic must be the ARN of a topic" in capsys.readouterr().err
    assert _said(capsys, "list") == ""


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "required: command"),
        (("finish", "job"), "invalid choice: 'finish'"),
        (("status",), "status needs the id of a job"),
        (("set-total", "job"), "set-total needs --total"),
        (("set-total", "job", "-t", "many"), "-t/--total: must be a whole number, got 'many'"),
        (("complete-part", "job", "-p", "1_0"), "-p/--part: must be a whole number, got '1_0'"),
        (("complete-part", "job", "-p", " 1"), "-p/--part: must be a whole number, got ' 1'"),
        (("list", "job"), "list is of all jobs, got 'job'"),
        (("status", "job", "other"), "unrecognized arguments: other"),
        (("status", "job", "--par", "1"), "unrecognized arguments: --par"),
        (("fail-job", "job", "-r", "x", "--dry-run"), "fail-job takes no --dry-run"),
        (("pending", "job", "--limit", "0"), "limit must be a whole number from 1, got 0"),
        (("status", "job", "--reduce"), "status takes no --reduce"),
        (("complete-part", "job", "-p", "1", "-t", "0"), "complete-part takes no --total"),
        (("list", "-m", "{}"), "list takes no --metadata"),
        (("map-reduce", "job", "-y"), "map-reduce takes no --yes"),
        (("set-total", "job", "-t", "0"), "total must be a whole number from 1 to 10000000, got 0"),
        (("complete-part", "job"), "complete-part needs --part"),
        (("fail-job", "job"), "fail-job needs --reason"),
        (("set-metadata", "job", "-m", "{"), "Could not parse provided metadata"),
        (("set-metadata", "job", "-m", "[1]"), "metadata must be a JSON object, got [1]"),
        (("map-reduce",), "map-reduce needs the id of a job"),
        (("map-reduce", "job", "-m", "0"), "metadata must be a JSON object, got 0"),
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


def test_a_reason_and_metadata_that_are_not_utf_8_break_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(capsys, "set-total", "job", "-t", "1") == ""
    assert _said(capsys, "fail-job", "job", "-r", "there is no \udcff.tif") == ""
    assert json.loads(_said(capsys, "status", "job"))["failed"] == "there is no ?.tif"
    assert _said(capsys, "set-metadata", "job", "-m", '{"a": "\udcff"}') == ""
    assert command.main(["set-metadata", "job", "-m", '{"\udcff": 1}']) == 1
    assert "metadata must be what JSON can hold" in capsys.readouterr().err


def test_an_interrupted_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> Progress:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "Progress", interrupted)
    assert command.main(["list"]) == 1
    assert capsys.readouterr().err == "watchbot-progress: interrupted\n"


def test_every_command_of_the_runtime_is_a_tool_on_the_workers_path() -> None:
    project = tomllib.loads((ROOT / "watcher" / "pyproject.toml").read_text())["project"]
    for name, function in project["scripts"].items():
        tool = ROOT / "watcher" / "runtime" / "tools" / name
        assert tool.stat().st_mode & 0o111 == 0o111, name
        assert f'-m {function.partition(":")[0]} "$@"' in tool.read_text()
