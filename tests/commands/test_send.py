"""``watchbot send``, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.letters import received
from tests.acceptance.operated import Operated


def test_one_message_arrives_with_subject_and_attributes(operated: Operated) -> None:
    ran = operated.run("send", '{"Message": "as it is"}', "--subject", "s", "--attribute", "kind=tile=1")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "1 messages sent\n")
    (message,) = received(operated.sqs, operated.services["plain"].queue_url)
    envelope = json.loads(message["Body"])
    assert (envelope["Subject"], envelope["Message"]) == ("s", '{"Message": "as it is"}')
    assert envelope["MessageAttributes"]["kind"]["Value"] == "tile=1"


def test_lines_arrive_each_with_its_own_or_the_common_fields(operated: Operated) -> None:
    lines = ["one", "", '{"Message": "two", "Subject": "own"}']
    ran = operated.run("send", "--file", "-", "--subject", "common", "--json", said="\n".join(lines))
    assert json.loads(ran.stdout) == {"sent": 2, "of": 2, "lines": "1, 3", "doubtful_lines": "", "refused_lines": {}}
    bodies = [json.loads(one["Body"]) for one in received(operated.sqs, operated.services["plain"].queue_url)]
    assert sorted((one["Message"], one["Subject"]) for one in bodies) == [("one", "common"), ("two", "own")]


def test_the_queue_takes_bodies_as_they_are_and_delays(operated: Operated) -> None:
    plain = operated.services["plain"]
    large = "x" * 1_000_000
    assert operated.run("send", "--file", "-", "--to", "queue", said=f"{large}\n{large}\n").returncode == 0
    assert [len(one["Body"]) for one in received(operated.sqs, plain.queue_url)] == [1_000_000] * 2
    assert operated.run("send", "later", "--to", "queue", "--delay", "15m").returncode == 0
    assert operated.counts(plain.queue_url)[0] == 0


@pytest.mark.parametrize("to", ["topic", "queue"])
def test_order_is_kept_in_a_group_and_no_run_swallows_another(operated: Operated, to: str) -> None:
    lines = [str(number) for number in range(45)]
    for _ in range(2):
        ran = operated.run("send", "--file", "-", "--group", "g", "--to", to, service="ordered", said="\n".join(lines))
        assert ran.returncode == 0, ran.stderr
        bodies = [one["Body"] for one in received(operated.sqs, operated.services["ordered"].queue_url)]
        assert [json.loads(body)["Message"] if to == "topic" else body for body in bodies] == lines


@pytest.mark.parametrize(
    ("arguments", "service", "says"),
    [
        ([], "plain", "send a MESSAGE, or the lines of a --file"),
        (["x", "--file", "-"], "plain", "one of them"),
        (["x", "--subject", "s", "--to", "queue"], "plain", "every message has Subject; allowed are Message"),
        (["x", "--delay", "5m"], "plain", "every message has DelaySeconds; allowed are"),
        (["x", "--delay", "16m", "--to", "queue"], "plain", "DelaySeconds 960; SQS takes 0 to 900"),
        (["x", "--delay", "5m", "--to", "queue", "--group", "g"], "ordered", "which FIFO does not take for one"),
        (["x", "--attribute", "kind"], "plain", "'kind' is not NAME=VALUE"),
        (["x", "--deduplication-id", "d"], "plain", "only FIFO takes"),
        (["x"], "ordered", "has no MessageGroupId"),
        (["--file", "-", "--deduplication-id", "d"], "ordered", "--deduplication-id is for one MESSAGE"),
        (["--file", ""], "plain", "'' is no name of a file; - is standard input or output"),
        (["--file", "no-such-file"], "plain", "--file 'no-such-file' cannot be read: No such file"),
        (["a\x01b", "--to", "queue"], "plain", "a character that SQS does not take"),
    ],
)
def test_refuses_what_cannot_be_sent(operated: Operated, arguments: list[str], service: str, says: str) -> None:
    ran = operated.run("send", *arguments, service=service)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_refuses_a_file_with_a_line_too_large_before_anything_is_sent(operated: Operated, tmp_path: Path) -> None:
    file = tmp_path / "jobs"
    file.write_text("small\n" + "x" * 300_000)
    ran = operated.run("send", "--file", str(file))
    assert ran.returncode == 2
    assert "nothing was:\nline 2: is 300000 bytes, and SNS takes at most 262144" in ran.stderr
    assert operated.counts(operated.services["plain"].queue_url) == (0, 0)
