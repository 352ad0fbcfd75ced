"""A service of AWS that hangs costs seconds, and hides nothing of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from watchbot_cli.crew import Crew
from watchbot_cli.options import Target
from watchbot_cli.patience import within
from watchbot_cli.session import Session
from watchbot_cli.status.snapshot import Unreadable
from watchbot_cli.status.together import Together, or_unreadable


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """What a hanging call waits for."""
    event = threading.Event()
    yield event
    event.set()


def test_a_part_that_hangs_is_said_and_the_others_are_shown(hanging: threading.Event) -> None:
    calls: list[int] = []

    def hangs() -> str:
        calls.append(1)
        hanging.wait()
        return "at last"

    together = Together(0.05)
    reads = {"metrics": hangs, "queue": lambda: 3}
    for _ in range(3):
        assert together(reads) == {"metrics": Unreadable("AWS has not answered in 0.05 s"), "queue": 3}
    assert len(calls) == 1, "what is under way is not begun again"
    hanging.set()
    assert Together(60)({"metrics": hangs})["metrics"] == "at last"


def test_a_piece_of_a_part_that_hangs_hides_no_other_piece(hanging: threading.Event) -> None:
    assert or_unreadable(hanging.wait, 0.01) == Unreadable("AWS has not answered in 0.01 s")


def test_a_call_is_waited_for_no_longer_than_is_said(hanging: threading.Event) -> None:
    with pytest.raises(TimeoutError):
        within(0.01, hanging.wait)
    assert within(60, lambda: 3) == 3


def test_ctrl_c_leaves_a_step_alone_that_does_not_end(
    hanging: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def interrupted(*_: Any, **__: Any) -> None:
        assert begun.wait(10)
        raise KeyboardInterrupt

    def step() -> bool:
        begun.set()
        return hanging.wait()

    monkeypatch.setattr("watchbot_cli.crew.wait", interrupted)
    crew = Crew(1, "hangs", patience_seconds=0.01)
    with pytest.raises(KeyboardInterrupt):
        crew.run(step)
    assert not crew.is_idle


@pytest.mark.parametrize("error", [ReadTimeoutError, ConnectTimeoutError])
def test_what_is_not_answered_is_tried_twice_whatever_the_service(
    error: type[ReadTimeoutError | ConnectTimeoutError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    sent: list[str] = []

    def hangs(_: URLLib3Session, request: Any) -> None:
        sent.append(request.url)
        raise error(endpoint_url=request.url)

    monkeypatch.setattr(URLLib3Session, "send", hangs)
    session = Session(Target("Stack", None, "eu-west-1", None))
    for service, call in (("cloudwatch", "describe_alarms"), ("sqs", "list_queues"), ("sts", "get_caller_identity")):
        client = session.client(service)
        assert client.meta.config.connect_timeout + client.meta.config.read_timeout <= 12
        sent.clear()
        with pytest.raises(error):
            getattr(client, call)()
        assert len(sent) == 2
