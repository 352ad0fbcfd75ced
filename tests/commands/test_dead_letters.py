"""``watchbot dead-letter``, as it is typed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.letters import envelope, log, put, received
from tests.acceptance.operated import Operated
from tests.acceptance.terminal import Terminal

_PROFILE = str(Path(__file__).parent / "profile.ini")


def _ids(text: str) -> list[str]:
    return sorted(json.loads(line)["message_id"] for line in text.splitlines())


def test_list_says_why_each_is_there_and_hides_nothing(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, envelope("tile 1", Subject="s"), "tile\n2", reason="exit code 9")
    ran = operated.run("dead-letter", "list")
    assert (ran.returncode, ran.stderr) == (0, "2 dead letters\n")
    lines = sorted(ran.stdout.splitlines())
    assert [line.split()[:2] for line in lines] == [["m-0", "3"], ["m-1", "3"]]
    assert [line.partition("exit code 9  ")[2] for line in lines] == ["tile 1", "tile 2"]
    assert operated.counts(plain.dead_letter_queue_url) == (2, 0)


def test_list_as_json_has_everything_of_a_letter(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], envelope("tile 1", Subject="s"))
    letter = json.loads(operated.run("dead-letter", "list", "--json").stdout)
    assert letter["message_id"] == "m-0"
    assert letter["letter_id"] != "m-0"
    assert (letter["subject"], letter["message"], letter["reason"]) == ("s", "tile 1", "exit code 1")
    assert (letter["receive_count"], letter["looks"]) == (3, 1)
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
        (["--where", "subject && lower(subject)"], "calls lower(), which is not one of JMESPath's functions: abs, avg"),
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
    assert json.loads(ran.stdout) == {"returned": 25, "doubtful": 0, "not_looked_at": 0}
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
    returned = json.loads(operated.run("dead-letter", "redrive", "m-3", "m-7", "--yes", "--json").stdout)
    assert returned["returned"] == 2
    deleted = json.loads(operated.run("dead-letter", "delete", "--match", "^1[0-9]$", "--yes", "--json").stdout)
    assert deleted == {"deleted": 10, "doubtful": 0, "not_looked_at": 0}
    assert operated.counts(plain.dead_letter_queue_url) == (8, 0)
    assert sorted(one["Body"] for one in received(operated.sqs, plain.queue_url)) == ["3", "7"]


def test_a_dry_run_does_nothing(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "a", "b")
    for arguments in (["redrive"], ["delete", "--match", "a"], ["purge"]):
        assert operated.run("dead-letter", *arguments, "--dry-run").returncode == 0
        told = operated.run("dead-letter", *arguments, "--dry-run", "--json").stdout.splitlines()
        assert [type(json.loads(line)) for line in told] == [dict] * (1 if arguments[0] != "redrive" else 2)
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
    said = json.loads(operated.run("dead-letter", "purge", "--yes", "--json").stdout)
    assert (said["deleted"], said["approximate"]) == (12, True)
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
    assert "about 4 more wait behind others of their group" in ran.stderr


def test_what_somebody_else_looks_at_is_told_by_every_command(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "a", "b", "c", "d")
    operated.sqs.receive_message(QueueUrl=plain.dead_letter_queue_url, MaxNumberOfMessages=3, VisibilityTimeout=600)
    hidden = "about 3 more are being looked at by somebody else, or come back within a minute, and were not looked at"
    listed = operated.run("dead-letter", "list")
    assert (listed.returncode, len(listed.stdout.splitlines()), hidden in listed.stderr) == (1, 1, True)
    for command, done in (("redrive", "returned"), ("delete", "deleted")):
        ran = operated.run("dead-letter", command, "--match", "nobody", "--yes", "--json")
        assert (ran.returncode, json.loads(ran.stdout)) == (1, {done: 0, "doubtful": 0, "not_looked_at": 3})
        assert hidden in ran.stderr
    assert operated.counts(plain.dead_letter_queue_url) == (1, 3)


def test_a_filter_that_matches_none_says_of_how_many(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], "a", "b")
    for command in (["list"], ["redrive", "--yes"], ["delete", "--yes"]):
        ran = operated.run("dead-letter", *command, "--match", "nobody")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "0 of 2 dead letters match\n")


@pytest.mark.parametrize("act", [("delete", "Delete", ", permanently?"), ("redrive", "Return", " to the work queue?")])
def test_a_question_counts_what_is_meant_and_names_where_and_that_alone_is_done(
    operated: Operated, act: tuple[str, str, str]
) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(8)))
    command, verb, end = act
    place = f"of Operated/plain of stack {operated.name} in us-east-1 of account 000000000000 (ops)"
    typed = operated.command("dead-letter", command, "m-1", "nobody", "--match", "[12]")
    with Terminal(typed, operated.environment(AWS_PROFILE="ops", AWS_CONFIG_FILE=_PROFILE)) as terminal:
        asked = terminal.shows("[y/N]:")
        assert f"{verb} 1 of about 8 dead letters {place}{end}" in asked
        put(operated.sqs, plain, "1", prefix="later")
        terminal.types("y")
        exit_code, shown = terminal.ends()
    assert (exit_code, "there is no dead letter nobody" in shown) == (1, True)
    assert operated.counts(plain.dead_letter_queue_url) == (8, 0)


def test_refusing_leaves_every_letter_where_it_is(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(3)))
    with Terminal(operated.command("dead-letter", "delete", "--match", "."), operated.environment()) as terminal:
        terminal.answers("Delete 3 of about 3 dead letters", "n")
        exit_code, shown = terminal.ends()
    assert (exit_code, "nothing was done" in shown) == (1, True)
    assert operated.counts(plain.dead_letter_queue_url) == (3, 0)


def test_a_letter_that_no_watcher_counted_has_no_receive_count(operated: Operated) -> None:
    plain = operated.services["plain"]
    operated.sqs.send_message(QueueUrl=plain.dead_letter_queue_url, MessageBody="moved by SQS")
    for looks in (1, 2):
        letter = json.loads(operated.run("dead-letter", "list", "--json").stdout)
        assert (letter["receive_count"], letter["looks"]) == (None, looks)
    listed = operated.run("dead-letter", "list").stdout.split()
    assert listed[1] == "-"
    ran = operated.run("dead-letter", "list", "--where", "receive_count > `0`")
    assert (ran.stdout, ran.stderr) == ("", "0 of 1 dead letters match\n")


@pytest.mark.parametrize("command", ["redrive", "delete"])
def test_an_id_that_no_letter_has_is_named_and_the_others_are_done(operated: Operated, command: str) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "a", "b")
    ran = operated.run("dead-letter", command, "m-0", "nobody", "--yes", "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["missing"] == ["nobody"]
    assert "watchbot: there is no dead letter nobody, or it could not be looked at" in ran.stderr
    assert operated.counts(plain.dead_letter_queue_url) == (1, 0)


def test_all_letters_that_share_a_message_id_are_meant_by_it(operated: Operated) -> None:
    plain = operated.services["plain"]
    for _ in range(2):
        put(operated.sqs, plain, "same")
    deleted = json.loads(operated.run("dead-letter", "delete", "m-0", "--yes", "--json").stdout)
    assert deleted["deleted"] == 2
    assert operated.counts(plain.dead_letter_queue_url) == (0, 0)


def test_options_may_stand_before_the_command(operated: Operated) -> None:
    put(operated.sqs, operated.services["plain"], "a")
    command = operated.command("dead-letter")
    program, options = command[:4], command[4:]
    ran = subprocess.run(
        [*program, *options, "--limit", "3", "list", "--json"],
        env=operated.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, _ids(ran.stdout)) == (0, ["m-0"]), ran.stderr


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
