"""Whatever characters SQS and CloudWatch hold, and whatever the terminal knows, commands print them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.letters import log, put
from tests.acceptance.operated import Operated

_HALF = r'{"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "\ud800 half"}'
"""A body that SQS takes, in which a message is that no encoding has."""

_ASCII = {"PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize("variables", [{}, _ASCII], ids=["UTF-8", "ASCII"])
def test_half_a_character_is_listed_shown_and_exported(
    operated: Operated, variables: dict[str, str], tmp_path: Path
) -> None:
    put(operated.sqs, operated.services["plain"], _HALF, "schön 😀")
    listed = operated.run("dead-letter", "list", **variables)
    assert (listed.returncode, r"\ud800 half" in listed.stdout) == (0, True)
    as_json = operated.run("dead-letter", "list", "--json", **variables)
    assert sorted(json.loads(line)["message"] for line in as_json.stdout.splitlines()) == ["schön 😀", "\ud800 half"]
    shown = operated.run("dead-letter", "show", "m-0", **variables)
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (0, r"\ud800 half")
    file = tmp_path / "dead.jsonl"
    assert operated.run("dead-letter", "export", str(file), **variables).returncode == 0
    bodies = {json.loads(line)["body"] for line in file.read_text(encoding="utf-8").splitlines()}
    assert bodies == {_HALF, "schön 😀"}
    checked = operated.run("dead-letter", "import", str(file), "--dry-run", **variables)
    assert (checked.returncode, checked.stderr) == (0, "2 dead letters can be sent\n")


def test_logs_print_what_an_ascii_terminal_does_not_know(operated: Operated) -> None:
    plain = operated.services["plain"]
    log(operated.emulator, plain, {"watchbot/worker/abc": ["schön 😀"]})
    ran = operated.run("logs", **_ASCII)
    assert (ran.returncode, r"sch\xf6n \U0001f600" in ran.stdout) == (0, True), ran.stderr
    as_json = operated.run("logs", "--json", **_ASCII)
    assert json.loads(as_json.stdout)["message"] == "schön 😀"


def test_help_is_printed_where_the_terminal_knows_ascii_only(operated: Operated) -> None:
    ran = operated.run("dead-letter", "show", "--help", **_ASCII)
    assert (ran.returncode, "show 7b2c" in ran.stdout) == (0, True)
