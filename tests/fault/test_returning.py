"""Dead letters that go back while AWS refuses: what was done is told, also as JSON, and none is lost."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.letters import put, received
from tests.acceptance.operated import Operated
from tests.fault.proxy import FaultyProxy

_COUNT = 60


def _run_until_broken(
    operated: Operated, action: str, fault: str, *arguments: str, service: str = "plain"
) -> subprocess.CompletedProcess[str]:
    """Run a command for which all calls of an action but the first three fail."""
    with FaultyProxy(operated.emulator.endpoint_url) as proxy:
        proxy.spares(action, 3)
        proxy.breaks_every(action, fault)
        return operated.run("dead-letter", *arguments, "--json", service=service, AWS_ENDPOINT_URL=proxy.url)


@pytest.fixture
def dead(operated: Operated) -> Operated:
    put(operated.sqs, operated.services["plain"], *map(str, range(_COUNT)))
    return operated


def _bodies(operated: Operated, url: str) -> list[str]:
    return [one["Body"] for one in received(operated.sqs, url)]


def test_a_redrive_that_is_throttled_midway_says_how_many_returned(dead: Operated) -> None:
    plain = dead.services["plain"]
    ran = _run_until_broken(dead, "SendMessageBatch", "throttled", "redrive", "--match", "", "--yes")
    assert ran.returncode == 1
    said = json.loads(ran.stdout)
    assert (said["returned"], said["doubtful"]) == (30, 0)
    assert "watchbot: AWS throttles SendMessageBatch" in ran.stderr
    assert dead.counts(plain.queue_url) == (30, 0)
    assert dead.counts(plain.dead_letter_queue_url) == (_COUNT - 30, 0)


def test_letters_that_were_sent_and_could_not_be_deleted_are_told_of(dead: Operated) -> None:
    plain = dead.services["plain"]
    ran = _run_until_broken(dead, "DeleteMessageBatch", "throttled", "redrive", "--match", "", "--yes")
    said = json.loads(ran.stdout)
    assert (ran.returncode, said["returned"]) == (1, 30)
    assert f"{said['doubtful']} more may be in both queues" in ran.stderr
    assert said["doubtful"] > 0
    assert dead.counts(plain.queue_url)[0] == 30 + said["doubtful"]
    assert dead.counts(plain.dead_letter_queue_url) == (_COUNT - 30, 0)


def test_a_delete_that_is_throttled_midway_says_how_many_are_gone(dead: Operated) -> None:
    ran = _run_until_broken(dead, "DeleteMessageBatch", "throttled", "delete", "--match", "", "--yes")
    assert (ran.returncode, json.loads(ran.stdout)["deleted"]) == (1, 30)
    assert dead.counts(dead.services["plain"].dead_letter_queue_url) == (_COUNT - 30, 0)


@pytest.mark.parametrize("service", ["plain", "ordered"])
def test_an_import_that_is_throttled_midway_says_which_lines_were_sent(
    operated: Operated, service: str, tmp_path: Path
) -> None:
    letters = [{"body": str(n), "letter_id": f"l-{n}", "group_id": f"g-{n % 20}"} for n in range(1, _COUNT + 1)]
    file = tmp_path / "dead.jsonl"
    file.write_text("\n".join(map(json.dumps, letters)))
    ran = _run_until_broken(operated, "SendMessageBatch", "throttled", "import", str(file), "--yes", service=service)
    assert ran.returncode == 1
    said = json.loads(ran.stdout)
    assert (said["returned"], said["of"], said["doubtful_lines"]) == (30, _COUNT, "")
    bounds = [part.partition("-") for part in said["lines"].split(", ")]
    told = {str(n) for first, _, last in bounds for n in range(int(first), int(last or first) + 1)}
    assert told == {*_bodies(operated, operated.services[service].queue_url)}
    assert "watchbot: AWS throttles SendMessageBatch" in ran.stderr


def test_lines_whose_call_was_not_answered_are_doubtful(operated: Operated, tmp_path: Path) -> None:
    file = tmp_path / "dead.jsonl"
    file.write_text(json.dumps({"body": "x", "letter_id": "l"}))
    with FaultyProxy(operated.emulator.endpoint_url) as proxy:
        proxy.breaks_every("SendMessageBatch", "lost answer")
        ran = operated.run("dead-letter", "import", str(file), "--yes", AWS_ENDPOINT_URL=proxy.url)
    assert ran.returncode == 1
    assert "0 of 1 dead letters returned to the work queue: lines none" in ran.stderr
    assert "lines 1 may have been sent: no answer came" in ran.stderr
