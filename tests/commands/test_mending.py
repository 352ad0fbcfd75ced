"""Dead letters exported, mended, imported and deleted: those that were exported, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.letters import put, received
from tests.acceptance.operated import Operated

_EXPORTED = '{"body": "x", "letter_id": "i"}'


def test_what_was_exported_can_be_sent_again_and_deleted(operated: Operated, tmp_path: Path) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(12)))
    file = tmp_path / "dead.jsonl"
    exported = operated.run("dead-letter", "export", str(file), "--json")
    assert json.loads(exported.stdout) == {"exported": 12, "doubtful": 0, "not_looked_at": 0}
    assert operated.counts(plain.dead_letter_queue_url) == (12, 0)
    assert operated.run("dead-letter", "export", str(file)).returncode == 2
    put(operated.sqs, plain, "came later", prefix="later")
    imported = json.loads(operated.run("dead-letter", "import", str(file), "--yes", "--json").stdout)
    assert imported == {"returned": 12, "of": 12, "lines": "1-12", "doubtful_lines": ""}
    messages = received(operated.sqs, plain.queue_url)
    assert sorted(int(one["Body"]) for one in messages) == [*range(12)]
    assert all(one["MessageAttributes"]["number"]["StringValue"] == one["Body"] for one in messages)
    deleted = json.loads(operated.run("dead-letter", "delete", "--from", str(file), "--yes", "--json").stdout)
    assert deleted["deleted"] == 12
    assert [one["Body"] for one in received(operated.sqs, plain.dead_letter_queue_url)] == ["came later"]


def test_mending_loses_none_of_fourteen_letters_of_a_group(operated: Operated, tmp_path: Path) -> None:
    ordered = operated.services["ordered"]
    put(operated.sqs, ordered, *map(str, range(14)), group="a")
    exit_codes: list[int] = []
    while not exit_codes or exit_codes[-1]:
        file = tmp_path / f"{len(exit_codes)}.jsonl"
        exported = operated.run("dead-letter", "export", str(file), service="ordered")
        exit_codes.append(exported.returncode)
        assert ("about 4 more wait behind others of their group" in exported.stderr) is (exported.returncode == 1)
        for command in (["import", str(file)], ["delete", "--from", str(file)]):
            assert operated.run("dead-letter", *command, "--yes", service="ordered").returncode == 0
    assert exit_codes == [1, 0]
    assert [one["Body"] for one in received(operated.sqs, ordered.queue_url)] == [*map(str, range(14))]
    assert operated.counts(ordered.dead_letter_queue_url) == (0, 0)


def test_an_export_that_others_kept_letters_from_says_so_and_fails(operated: Operated, tmp_path: Path) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "a", "b", "c")
    operated.sqs.receive_message(QueueUrl=plain.dead_letter_queue_url, MaxNumberOfMessages=2, VisibilityTimeout=600)
    for arguments, data in ((["-"], '"message_id"'), ([str(tmp_path / "f"), "--json"], '"not_looked_at": 2')):
        ran = operated.run("dead-letter", "export", *arguments)
        assert (ran.returncode, data in ran.stdout) == (1, True)
        assert "about 2 more are being looked at by somebody else" in ran.stderr
        assert "watchbot: not all dead letters were exported" in ran.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "FILE '-' cannot be sent, and nothing was:\nline 2: "),
        ("[]", "is no JSON object"),
        ('{"body": "x"}', "must have a body and a letter_id"),
        ('{"body": "x", "letter_id": "i", "message_attributes": {"a": 1}}', "the message attribute a as 1"),
        ('{"body": "a\\u0000b", "letter_id": "i"}', "a character that SQS does not take"),
        ('{"body": "\\ud800", "letter_id": "i"}', "half a character"),
        (f'{{"body": "{"x" * 1_100_000}", "letter_id": "i"}}', "is 1100000 bytes, and SQS takes at most 1048576"),
        ("[" * 100_000, "is nested too deeply"),
    ],
    ids=["broken", "a list", "no id", "attribute", "NUL", "surrogate", "large", "deep"],
)
def test_refuses_to_import_lines_that_cannot_be_sent(operated: Operated, line: str, says: str) -> None:
    for option in ("--yes", "--dry-run"):
        ran = operated.run("dead-letter", "import", "-", option, said=f"{_EXPORTED}\n{line}")
        assert ran.returncode == 2
        assert says in ran.stderr
    assert operated.counts(operated.services["plain"].queue_url) == (0, 0)


@pytest.mark.parametrize(
    ("letter", "says"),
    [
        ({}, "has no MessageGroupId, which FIFO needs"),
        ({"group_id": "g", "letter_id": "l" * 120}, "SQS takes 1 to 128 characters"),
    ],
)
def test_refuses_to_import_what_order_forbids(operated: Operated, letter: dict[str, str], says: str) -> None:
    line = json.dumps({"body": "x", "letter_id": "i", **letter})
    ran = operated.run("dead-letter", "import", "-", "--dry-run", service="ordered", said=line)
    assert (ran.returncode, says in ran.stderr) == (2, True)


def test_a_byte_order_mark_is_no_part_of_the_first_line(operated: Operated) -> None:
    ran = operated.run("dead-letter", "import", "-", "--dry-run", said=f"\ufeff{_EXPORTED}\n")
    assert (ran.returncode, ran.stderr) == (0, "1 dead letters can be sent\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export", ""], "'' is no name of a file; - is standard input or output"),
        (["export", "/nowhere/f"], "'/nowhere/f' cannot be written: No such file or directory"),
        (["import", ""], "'' is no name of a file"),
        (["import", "/nowhere/f"], "FILE '/nowhere/f' cannot be read: No such file or directory"),
        (["delete", "--yes", "--from", "/nowhere/f"], "--from '/nowhere/f' cannot be read"),
    ],
)
def test_refuses_a_file_that_cannot_be(operated: Operated, arguments: list[str], says: str) -> None:
    ran = operated.run("dead-letter", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_refuses_to_delete_what_a_file_does_not_name(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], "a")
    ran = operated.run("dead-letter", "delete", "--from", "-", "--yes", said="{}")
    assert ran.returncode == 2
    assert "--from '-' does not say what to delete, and nothing was:\nline 1: is no exported dead letter" in ran.stderr
    assert operated.counts(operated.services["plain"].dead_letter_queue_url) == (1, 0)


def test_a_file_of_no_letters_deletes_none_and_looks_at_none(operated: Operated) -> None:
    """As after the export of an empty queue: every letter was borrowed, and its receives counted, for nothing."""
    plain = operated.services["plain"]
    put(operated.sqs, plain, "a")
    ran = operated.run("dead-letter", "delete", "--from", "-", "--yes", "--json", said="\n")
    assert json.loads(ran.stdout) == {"deleted": 0, "doubtful": 0, "not_looked_at": 0}
    (letter,) = json.loads(f"[{operated.run('dead-letter', 'list', '--json').stdout}]")
    assert letter["looks"] == 1


def test_a_dry_run_of_an_import_says_as_json_how_many_can_be_sent(operated: Operated) -> None:
    ran = operated.run("dead-letter", "import", "-", "--dry-run", "--json", said=_EXPORTED)
    assert json.loads(ran.stdout) == {"can_be_sent": 1}
