from __future__ import annotations

import io

import pytest

from watchbot import log
from watchbot.journal import parse_line


def test_a_line_of_a_task_carries_its_message_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MessageId", "m-1")
    monkeypatch.delenv("MessageFile", raising=False)
    assert log.main(["42", "tiles"]) == 0
    entry = parse_line(capsys.readouterr().out.rstrip("\n"))
    assert entry is not None
    assert (entry.source, entry.message_id, entry.line) == ("worker", "m-1", "42 tiles")


def test_every_line_of_standard_input_becomes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MessageId", "m-1")
    monkeypatch.setattr("sys.stdin", io.StringIO("one\n\ntwo"))
    assert log.main([]) == 0
    entries = [parse_line(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry.line for entry in entries if entry is not None] == ["one", "", "two"]


def test_the_id_is_not_put_before_a_line_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MessageId", "m-1")
    monkeypatch.setenv("MessageFile", "/var/watchbot/1.message")
    log.log("one\ntwo")
    assert capsys.readouterr().out == "one\ntwo\n"
