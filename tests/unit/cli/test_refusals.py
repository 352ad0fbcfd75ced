"""Whatever AWS refuses to whichever command about a service is said in one sentence, also to commands yet to come."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from watchbot.contract import Description, Isolation
from watchbot_cli import main as program
from watchbot_cli.main import cli

DESCRIPTION = Description(
    service="Stack/svc",
    isolation=Isolation.PROCESS,
    topic_arn="arn:aws:sns:us-east-1:111122223333:topic",
    queue_url="https://sqs.us-east-1.amazonaws.com/111122223333/work",
    dead_letter_queue_url="https://sqs.us-east-1.amazonaws.com/111122223333/dead",
    log_group="group",
    cluster="cluster",
    ecs_service="service",
    task_definition="arn:aws:ecs:us-east-1:111122223333:task-definition/t:1",
    worker_task_definition="arn:aws:ecs:us-east-1:111122223333:task-definition/t:1",
)
LETTER = {"letter_id": "l", "body": "hello"}
ARGUMENTS = {"file": "-"}
"""What is typed for an argument of this name; for any other that is needed, a word."""

NEEDS_TERMINAL = {"dead-letter triage"}
LASTING = {"top"}
"""They show what cannot be read, and go on until they are ended; without a terminal they need --json."""


def _service_commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _service_commands(command, *path, name)
        elif any(one.name == "stack" for one in command.params):
            yield " ".join((*path, name)), command


COMMANDS = dict(_service_commands(cli))

Told = Callable[..., tuple[int, str, str]]


def _typed(path: str, command: click.Command) -> list[str]:
    words = path.split()
    for one in command.params:
        if isinstance(one, click.Argument) and one.name is not None and (one.required or one.name == "message"):
            words.append(ARGUMENTS.get(one.name, "x"))
        elif one.name == "yes":
            words.append("--yes")
    return [*words, *(["--json"] if path in LASTING else []), "--stack", "Stack"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Told]:
    """Type a command; gives its exit code, its data and its talk, in which there is no traceback."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def tell(path: str, *more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["watchbot", *_typed(path, COMMANDS[path]), *more])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(LETTER).encode())))
        with pytest.raises(SystemExit) as ended:
            program.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert "bug of watchbot's" not in said.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    yield tell
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _answers(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Any]) -> None:
    """Have every call to AWS answered by its name, without a network."""
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda _client, operation, _fields: answer(operation))


def _refusal(code: str, operation: str, text: str = "because") -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": text},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 4},
    }
    return ClientError(answer, operation)


def test_the_walk_finds_the_commands_about_a_service() -> None:
    assert {"send", "pause", "resume", "dead-letter list", "dead-letter triage"} <= COMMANDS.keys()
    assert not {"local", "run", "init", "simulate", "completion"} & COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize(
    ("code", "exit_code", "says"),
    [
        ("ValidationError", 2, "there is no stack 'Stack' in eu-north-1 of this account"),
        ("AccessDenied", 1, "these AWS credentials may not call DescribeStacks: because"),
        ("Throttling", 1, "AWS throttles DescribeStacks, 5 times in a row: try again later (because)"),
        ("ExpiredToken", 1, "the AWS credentials have expired: get new ones, for instance with aws sso login"),
    ],
)
def test_a_refusal_to_look_the_service_up_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, told: Told, path: str, code: str, exit_code: int, says: str
) -> None:
    def answer(operation: str) -> Any:
        text = "Stack with id Stack does not exist" if code == "ValidationError" else "because"
        raise _refusal(code, operation, text)

    _answers(monkeypatch, answer)
    assert told(path, "--region", "eu-north-1") == (exit_code, "", f"watchbot: {says}\n")


@pytest.mark.parametrize("path", sorted(COMMANDS.keys() - LASTING))
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDeniedException", "watchbot: these AWS credentials may not call "),
        ("ThrottlingException", "watchbot: AWS throttles "),
        ("ExpiredTokenException", "watchbot: the AWS credentials have expired"),
    ],
)
def test_a_refusal_of_what_the_command_does_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, told: Told, path: str, code: str, says: str
) -> None:
    def answer(operation: str) -> Any:
        if operation == "DescribeStacks":
            outputs = [{"OutputKey": "StacksvcWatchbot", "OutputValue": json.dumps(DESCRIPTION.to_dict())}]
            return {"Stacks": [{"Outputs": outputs}]}
        raise _refusal(code, operation)

    _answers(monkeypatch, answer)
    exit_code, data, talk = told(path)
    if path in NEEDS_TERMINAL:
        assert (exit_code, data) == (2, "")
        assert talk.startswith("watchbot: nobody can be asked here")
        return
    assert (exit_code, data) == (1, "")
    assert talk.splitlines()[-1].startswith(says), talk


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize(
    ("more", "exit_code", "says"),
    [
        ([], 1, "watchbot: no AWS credentials: name a profile with --profile, or set AWS_PROFILE"),
        (["--profile", "nobody"], 2, "watchbot: the AWS settings cannot be used: The config profile (nobody)"),
        (["--region", "no region"], 2, "watchbot: the AWS settings cannot be used: "),
    ],
)
def test_without_a_way_to_aws_every_command_says_what_is_missing(
    told: Told, path: str, more: list[str], exit_code: int, says: str
) -> None:
    code, data, talk = told(path, *more)
    assert (code, data, talk.count("\n")) == (exit_code, "", 1)
    assert talk.startswith(says)


def test_data_is_written_in_one_place_that_knows_of_readers_who_go_away() -> None:
    """A second one would end in a traceback, or silently, when a pipe is broken."""
    source = Path(program.__file__).parent
    others = [file for file in source.rglob("*.py") if file.name != "output.py"]
    wrong = ("print(json", "sys.stdout.write", "sys.stdout.flush", "click.secho", "Console(stderr")
    assert [(file.name, one) for file in others for one in wrong if one in file.read_text()] == []
