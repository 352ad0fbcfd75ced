"""Ten thousand dead letters are looked at, returned and deleted, and none is lost, whoever is killed."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.acceptance.letters import put
from tests.acceptance.operated import Operated

_COUNT = 10_000


@pytest.fixture
def many(operated: Operated) -> Operated:
    put(operated.sqs, operated.services["plain"], *map(str, range(_COUNT)))
    return operated


def test_all_are_listed_filtered_and_purged(many: Operated) -> None:
    plain = many.services["plain"]
    listed = [json.loads(line) for line in many.run("dead-letter", "list", "--json").stdout.splitlines()]
    assert {one["message_id"] for one in listed} == {f"m-{number}" for number in range(_COUNT)}
    assert many.counts(plain.dead_letter_queue_url) == (_COUNT, 0)
    deleted = many.run("dead-letter", "delete", "--match", "^.?[0-9]$", "--yes", "--json")
    assert json.loads(deleted.stdout) == {"deleted": 100}
    assert json.loads(many.run("dead-letter", "purge", "--yes", "--json").stdout) == {"deleted": _COUNT - 100}
    assert many.counts(plain.dead_letter_queue_url) == (0, 0)


def test_all_return_although_the_first_attempt_is_killed(many: Operated) -> None:
    plain = many.services["plain"]
    with subprocess.Popen(many.command("dead-letter", "redrive", "--yes"), env=many.environment()) as killed:
        many.becomes(plain.queue_url, lambda visible, _: visible > 100)
        killed.kill()
    # What it had out of sight comes back within a minute.
    many.becomes(plain.dead_letter_queue_url, lambda _, hidden: hidden == 0)
    left = many.counts(plain.dead_letter_queue_url)[0]
    assert 0 < left < _COUNT
    assert json.loads(many.run("dead-letter", "redrive", "--yes", "--json").stdout) == {"returned": left}
    # At worst those between being sent and being deleted, ten for each of eight threads, are there twice.
    assert _COUNT <= many.counts(plain.queue_url)[0] <= _COUNT + 80
