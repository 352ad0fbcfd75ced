"""``watchbot dead-letter``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.letters import envelope, log, put, received
from tests.acceptance.operated import Operated


def _ids(text: str) -> list[str]:
    return sorted(json.loads(line)["message_id"] for line in text.splitlines())


def test_list_says_why_each_is_there_and_hides_nothing(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, envelope("tile 1", Subject="s"), "tile\n2", reason="exit code 9")
    ran = operated.run("dead-letter", "list")
    assert (ran.returncode, ran.stderr) == (0, "2 dead letters\n")
    lines = sorted(ran.stdout.splitlines())
    assert [line.split()[:2] for line in lines] == [["m-0", "1"], ["m-1", "1"]]
    assert [line.partition("exit code 9  ")[2] for line in lines] == ["tile 1", "tile 2"]
    assert operated.counts(plain.dead_letter_queue_url) == (2, 0)


def test_list_as_json_has_everything_of_a_letter(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], envelope("tile 1", Subject="s"))
    letter = json.loads(operated.run("dead-letter", "list", "--json").stdout)
    assert letter["message_id"] == "m-0"
    assert letter["letter_id"] != "m-0"
    assert (letter["subject"], letter["message"], letter["reason"]) == ("s", "tile 1", "exit code 1")
    assert letter["receive_count"] == 1
    assert 0 <= letter["age_seconds"] < 60
    assert letter["message_attributes"]["number"] == {"DataType": "Number", "StringValue": "0"}


def test_filters_choose_by_content_attributes_age_and_reason(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], *(f'{{"zoom": {zoom}}}' for zoom in (1, 3, 2)))
    chosen = {
        ("--where", "json.zoom > `1`"): ["m-1", "m-2"],
        ("--where", "attributes.number == '0'"): ["m-0"],
        ("--match", "number=[12]"): ["m-1", "m-2"],
        ("--match", "zoom.*2"): ["m-2"],
        ("--reason", "code 2"): [],
        ("--older-than", "1h"): [],
        ("--newer-than", "1h", "--where", "receive_count < `50`"): ["m-0", "m-1", "m-2"],
    }
    found = {filters: _ids(operated.run("dead-letter", "list", "--json", *filters).stdout) for filters in chosen}
    assert found == chosen


def test_a_limit_is_kept(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], *map(str, range(30)))
    assert len(_ids(operated.run("dead-letter", "list", "--json", "--limit", "4").stdout)) == 4
    assert operated.counts(operated.services["plain"].dead_letter_queue_url) == (30, 0)


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        (["--where", "a b"], "--where 'a b' is no JMESPath"),
        (["--match", "("], "--match '(' is no regular expression"),
        (["--older-than", "soon"], "--older-than must be a time such as 90, 60s, 5min or 3h, got 'soon'"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_refuses_a_filter_that_cannot_be(operated: Operated, filters: list[str], says: str) -> None:
    ran = operated.run("dead-letter", "list", *filters)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_everything_returns_with_its_attributes_where_sqs_moves_nothing(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(25)))
    ran = operated.run("dead-letter", "redrive", "--yes", "--json")
    assert json.loads(ran.stdout) == {"returned": 25}
    assert "this endpoint moves no messages by itself" in ran.stderr
    assert operated.counts(plain.dead_letter_queue_url) == (0, 0)
    messages = received(operated.sqs, plain.queue_url)
    assert sorted(int(one["Body"]) for one in messages) == [*range(25)]
    for one in messages:
        assert one["MessageAttributes"]["number"]["StringValue"] == one["Body"]
        assert one["MessageAttributes"]["watchbot.MessageId"]["StringValue"] == f"m-{one['Body']}"


def test_only_what_is_meant_returns_or_is_deleted(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(20)))
    assert json.loads(operated.run("dead-letter", "redrive", "m-3", "m-7", "--yes", "--json").stdout) == {"returned": 2}
    assert json.loads(operated.run("dead-letter", "delete", "--match", "^1[0-9]$", "--yes", "--json").stdout) == {
        "deleted": 10
    }
    assert operated.counts(plain.dead_letter_queue_url) == (8, 0)
    assert sorted(one["Body"] for one in received(operated.sqs, plain.queue_url)) == ["3", "7"]


def test_a_dry_run_does_nothing(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "a", "b")
    for arguments in (["redrive"], ["delete", "--match", "a"], ["purge"]):
        assert operated.run("dead-letter", *arguments, "--dry-run").returncode == 0
    assert operated.counts(plain.dead_letter_queue_url) == (2, 0)
    assert operated.counts(plain.queue_url) == (0, 0)


@pytest.mark.parametrize("arguments", [["redrive"], ["delete", "m-0"], ["purge"]])
def test_refuses_to_go_on_unasked(operated: Operated, arguments: list[str]) -> None:
    put(operated.sqs, operated.services["plain"], "a")
    ran = operated.run("dead-letter", *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "say --yes, or look first with --dry-run" in ran.stderr
    assert operated.counts(operated.services["plain"].dead_letter_queue_url) == (1, 0)


def test_refuses_to_delete_everything_by_leaving_out_what(operated: Operated) -> None:
    ran = operated.run("dead-letter", "delete", "--yes")
    assert ran.returncode == 2
    assert "to delete all of them there is purge" in ran.stderr


def test_purge_deletes_everything(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(12)))
    assert json.loads(operated.run("dead-letter", "purge", "--yes", "--json").stdout) == {"deleted": 12}
    assert operated.counts(plain.dead_letter_queue_url) == (0, 0)


def test_groups_return_in_their_order_and_again_within_minutes(operated: Operated) -> None:
    ordered = operated.services["ordered"]
    for prefix in ("m", "n"):
        put(operated.sqs, ordered, *map(str, range(23)), group="a", prefix=prefix)
        assert operated.run("dead-letter", "redrive", "--yes", service="ordered").returncode == 0
        messages = received(operated.sqs, ordered.queue_url)
        assert [one["Body"] for one in messages] == [*map(str, range(23))]
        assert {one["Attributes"]["MessageGroupId"] for one in messages} == {"a"}


def test_list_says_what_order_keeps_from_it(operated: Operated) -> None:
    put(operated.sqs, operated.services["ordered"], *map(str, range(14)), group="a")
    ran = operated.run("dead-letter", "list", service="ordered")
    assert len(ran.stdout.splitlines()) == 10
    assert "about 4 more wait behind these in their groups" in ran.stderr


def test_what_was_exported_can_be_sent_again(operated: Operated, tmp_path: Path) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(12)))
    file = tmp_path / "dead.jsonl"
    assert operated.run("dead-letter", "export", str(file)).returncode == 0
    assert operated.counts(plain.dead_letter_queue_url) == (12, 0)
    assert operated.run("dead-letter", "export", str(file)).returncode == 2
    assert json.loads(operated.run("dead-letter", "import", str(file), "--yes", "--json").stdout) == {"returned": 12}
    messages = received(operated.sqs, plain.queue_url)
    assert sorted(int(one["Body"]) for one in messages) == [*range(12)]
    assert all(one["MessageAttributes"]["number"]["StringValue"] == one["Body"] for one in messages)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2 of '-', of which nothing was sent"),
        ("[]", "is no JSON object"),
        ('{"body": "x"}', "must have a body and a letter_id"),
        ('{"body": "x", "letter_id": "i", "message_attributes": {"a": 1}}', "the message attribute a as 1"),
    ],
)
def test_refuses_to_import_lines_that_were_not_exported(operated: Operated, line: str, says: str) -> None:
    ran = operated.run("dead-letter", "import", "-", "--yes", said='{"body": "x", "letter_id": "i"}\n' + line)
    assert ran.returncode == 2
    assert says in ran.stderr
    assert operated.counts(operated.services["plain"].queue_url) == (0, 0)


def test_show_gives_one_letter_and_what_the_log_says_of_it(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, envelope("tile 1", Subject="s"), "other")
    log(
        operated.emulator,
        plain,
        {
            "watchbot/watcher/1": [
                '[Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [m-0] task.started {"task": "arn:aws:ecs::1:task/c/abc"}',
                "[Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [m-1] job.started {}",
            ],
            "watchbot/worker/abc": ["no such tile"],
        },
    )
    shown = operated.run("dead-letter", "show", "m-0", "--logs")
    assert shown.returncode == 0, shown.stderr
    for part in ("m-0", "exit code 1", "subject        s", "\ntile 1\n", "task.started", "\nno such tile\n"):
        assert part in shown.stdout
    assert "job.started" not in shown.stdout
    unlogged = operated.run("dead-letter", "show", "m-1", "--json")
    assert json.loads(unlogged.stdout)["body"] == "other"
    missing = operated.run("dead-letter", "show", "nobody")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "there is no dead letter nobody" in missing.stderr
