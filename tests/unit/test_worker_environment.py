from __future__ import annotations

import os

import pytest

from watchbot.worker_environment import WorkerEnvironment

CONTAINER = {
    b"PATH": b"/bin",
    b"ODD": b"\xff\xfe",
    b"WATCHBOT_QUEUE_URL": b"https://queue",
    b"WATCHBOT_WORKER_ENV_AWS_PROFILE": b"theirs",
}


def test_the_worker_gets_the_containers_environment_less_everything_of_ours() -> None:
    assert WorkerEnvironment.of_container(CONTAINER).of_job({"Message": "x"}) == {
        b"PATH": b"/bin",
        b"ODD": b"\xff\xfe",
        b"AWS_PROFILE": b"theirs",
        b"Message": b"x",
    }


def test_what_all_jobs_share_is_in_every_environment() -> None:
    environment = (
        WorkerEnvironment.of_container(CONTAINER).with_variables({"WorkTopic": "arn"}).of_job({"Message": "x"})
    )
    assert environment[b"WorkTopic"] == b"arn"
    assert environment[b"AWS_PROFILE"] == b"theirs"


@pytest.mark.parametrize(("length", "is_set"), [(131_071 - len("Message="), True), (131_072 - len("Message="), False)])
def test_a_value_longer_than_linux_takes_is_left_unset(length: int, is_set: bool) -> None:
    environment = WorkerEnvironment({}).of_job({"Message": "x" * length})
    assert (b"Message" in environment) is is_set
    os.waitpid(os.posix_spawn("/bin/true", ["true"], environment), 0)


def test_a_value_with_a_nul_byte_is_left_unset() -> None:
    assert WorkerEnvironment({}).of_job({"Message": "a\0b", "Subject": "fine"}) == {b"Subject": b"fine"}


def test_a_lone_surrogate_reaches_the_worker() -> None:
    assert WorkerEnvironment({}).of_job({"Message": "\ud800"})[b"Message"] == b"\xed\xa0\x80"
