"""What becomes of each message that is sent."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from watchbot_cli.sending.destination import to_queue
from watchbot_cli.sending.outgoing import Outgoing
from watchbot_cli.sending.sender import Sender, written_ranges


def _messages(count: int) -> list[Outgoing]:
    return [Outgoing(number, {"Message": str(number)}, len(str(number))) for number in range(1, count + 1)]


class _Service:
    """Takes everything but some messages: the first times, or always."""

    def __init__(self, fails: dict[str, int], *, sender_fault: bool = False) -> None:
        self.taken: list[str] = []
        self._fails = fails
        self._sender_fault = sender_fault

    def post(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert len(entries) <= 10
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            body = entry["MessageBody"]
            self._fails[body] = self._fails.get(body, 0) - 1
            if self._fails[body] >= 0:
                answer["Failed"].append({"Id": entry["Id"], "SenderFault": self._sender_fault, "Code": "why"})
            else:
                answer["Successful"].append({"Id": entry["Id"]})
                self.taken.append(body)
        return answer


def test_what_was_not_taken_though_nothing_is_wrong_with_it_is_sent_again() -> None:
    service = _Service({"3": 1, "14": 1})
    sender = Sender(to_queue(fifo=False), service.post, lambda _: None)
    sender.send(_messages(25))
    assert sorted(sender.sent) == [*range(1, 26)]
    assert len(service.taken) == 25


def test_what_is_refused_for_its_own_fault_is_not_sent_again() -> None:
    service = _Service({"3": 1}, sender_fault=True)
    sender = Sender(to_queue(fifo=False), service.post, lambda _: None)
    sender.send(_messages(25))
    assert (sender.refused, len(sender.sent)) == ({3: "why"}, 24)


def test_order_ends_with_what_could_not_be_sent() -> None:
    service = _Service({"13": 1})
    sender = Sender(to_queue(fifo=True), service.post, lambda _: None)
    sender.send(_messages(45))
    assert (written_ranges(sender.sent), sender.refused) == ("1-12, 14-20", {13: "why"})


def test_a_call_that_nobody_answered_leaves_doubt() -> None:
    def post(entries: list[dict[str, Any]]) -> dict[str, Any]:
        raise EndpointConnectionError(endpoint_url="http://nowhere")

    sender = Sender(to_queue(fifo=True), post, lambda _: None)
    with pytest.raises(EndpointConnectionError):
        sender.send(_messages(25))
    assert (sender.sent, written_ranges(sender.doubtful)) == ([], "1-10")


def test_an_interruption_waits_for_the_call_of_a_thread_that_was_just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    called, sent = threading.Event(), threading.Event()
    told_too_early: list[bool] = []

    def post(entries: list[dict[str, Any]]) -> dict[str, Any]:
        called.set()
        told_too_early.append(sent.wait(0.2))
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def start_and_interrupt(thread: threading.Thread) -> None:
        start(thread)
        assert called.wait(10)
        raise KeyboardInterrupt

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", start_and_interrupt)
    sender = Sender(to_queue(fifo=False), post, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        sender.send(_messages(25))
    sent.set()
    assert (told_too_early, written_ranges(sender.sent), sender.doubtful) == ([False], "1-10", set())


def test_numbers_are_told_as_ranges() -> None:
    assert written_ranges([5, 1, 2, 3, 8, 7]) == "1-3, 5, 7-8"
    assert written_ranges([]) == ""
