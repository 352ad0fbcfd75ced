"""Ten thousand dead letters are looked at, returned and deleted, and none is lost, whoever is killed."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.acceptance.letters import put, received
from tests.acceptance.operated import Operated
from tests.fault.proxy import FaultyProxy
from watchbot_cli.local.emulator import Emulator

_COUNT = 10_000
_ALL = {str(number) for number in range(_COUNT)}
_SOME = 100


class _Many:
    """Ten thousand letters, which the tests below share: those that were told to delete some say which."""

    def __init__(self, operated: Operated) -> None:
        self.operated = operated
        self.dead = operated.services["plain"].dead_letter_queue_url
        self.work = operated.services["plain"].queue_url
        self.may_be_gone: set[str] = set()
        put(operated.sqs, operated.services["plain"], *map(str, range(_COUNT)))

    def count(self) -> int:
        return sum(self.operated.counts(self.dead))

    def kill(self, *arguments: str, url: str, once: Callable[[int, int], bool]) -> None:
        """Kill a command once there are so many messages, visible and in flight, in a queue."""
        command = self.operated.command("dead-letter", *arguments)
        with subprocess.Popen(command, env=self.operated.environment(), stdout=subprocess.DEVNULL) as killed:
            self.operated.becomes(url, once)
            killed.kill()
        assert killed.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def many(emulator: Emulator) -> _Many:
    return _Many(Operated(emulator, "many"))


def test_all_are_listed_and_those_that_are_meant_deleted(many: _Many) -> None:
    ran = many.operated.run("dead-letter", "list", "--json")
    bodies = [json.loads(line)["body"] for line in ran.stdout.splitlines()]
    assert (len(bodies), {*bodies}) == (_COUNT, _ALL)
    assert many.operated.counts(many.dead) == (_COUNT, 0)
    deleted = many.operated.run("dead-letter", "delete", "--match", "^.?[0-9]$", "--yes", "--json")
    many.may_be_gone |= {body for body in _ALL if len(body) < 3}
    assert json.loads(deleted.stdout) == {"deleted": 100, "doubtful": 0, "not_looked_at": 0}
    assert many.operated.counts(many.dead) == (_COUNT - 100, 0)


def test_others_go_on_with_what_a_killed_list_delete_or_redrive_left(many: _Many) -> None:
    many.kill("list", url=many.dead, once=lambda _, hidden: hidden > _SOME)
    before = many.count()
    many.may_be_gone |= {body for body in _ALL if body[-1] in "05"}
    many.kill("delete", "--match", "[05]$", "--yes", url=many.dead, once=lambda *both: sum(both) < before - _SOME)
    many.kill("redrive", "--yes", url=many.work, once=lambda visible, _: visible > _SOME)
    # What they had out of sight is counted, and the exit code is 1 then, or it comes back meanwhile.
    redriven = many.operated.run("dead-letter", "redrive", "--yes")
    assert redriven.returncode == int("were not looked at" in redriven.stderr), redriven.stderr


def test_none_is_lost_whoever_was_killed(many: _Many) -> None:
    # What was out of sight comes back within a minute.
    many.operated.becomes(many.dead, lambda _, hidden: hidden == 0)
    left = many.operated.counts(many.dead)[0]
    last = json.loads(many.operated.run("dead-letter", "redrive", "--yes", "--json").stdout)
    assert last == {"returned": left, "doubtful": 0, "not_looked_at": 0}
    assert many.operated.counts(many.dead) == (0, 0)
    returned = [one["Body"] for one in received(many.operated.sqs, many.work)]
    assert _ALL - {*returned} <= many.may_be_gone
    # At worst those between being sent and being deleted, ten for each of eight threads, are there twice.
    assert len(returned) <= len({*returned}) + 80


def test_a_purge_is_all_or_nothing_although_it_is_killed(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(_COUNT)))
    with FaultyProxy(operated.emulator.endpoint_url) as proxy:
        command = operated.command("dead-letter", "purge", "--yes")
        with subprocess.Popen(command, env=operated.environment(AWS_ENDPOINT_URL=proxy.url)) as killed:
            proxy.sees("PurgeQueue", 1)
            killed.kill()
    assert operated.counts(plain.dead_letter_queue_url) in ((_COUNT, 0), (0, 0))
    assert operated.run("dead-letter", "purge", "--yes").returncode == 0
    assert operated.counts(plain.dead_letter_queue_url) == (0, 0)
