"""How a command finds its service, and what it says when it does not, or may not, or cannot."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.acceptance.letters import put
from tests.acceptance.operated import Operated
from watchbot_cli.local.emulator import Emulator


@pytest.fixture(scope="module")
def deployed(emulator: Emulator) -> Operated:
    return Operated(emulator, "deployed")


class _Refusing(http.server.BaseHTTPRequestHandler):
    """An AWS that refuses everything, for the reason that the user's key id names."""

    def do_POST(self) -> None:
        code = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>because {code}</Message></Error>"
        body = f"{text}<RequestId>r</RequestId></ErrorResponse>".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_stack_is_found_and_one_of_its_services_by_id_or_path(deployed: Operated) -> None:
    for service in ("plain", "Operated/plain"):
        assert deployed.run("dead-letter", "list", service=service).returncode == 0


@pytest.mark.parametrize(
    ("stack", "service", "says"),
    [
        ("nowhere", "plain", "there is no stack 'nowhere' in us-east-1 of this account"),
        (None, None, "holds several Watchbots, name one with --service: Operated/"),
        (None, "nobody", "--service 'nobody' is not in stack deployed, which holds Operated/"),
    ],
)
def test_refuses_a_stack_or_service_that_is_not_there(
    deployed: Operated, stack: str | None, service: str | None, says: str
) -> None:
    ran = deployed.run("dead-letter", "list", stack=stack, service=service)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr


def test_refuses_a_stack_without_or_with_another_versions_watchbot(deployed: Operated) -> None:
    queue = {"Queue": {"Type": "AWS::SQS::Queue"}}
    description = {**deployed.services["plain"].to_dict(), "version": 99}
    for name, outputs, says, exit_code in (
        ("empty", {"Other": "x"}, "stack empty holds no Watchbot", 2),
        ("strange", {"MyWatchbot": "x"}, "stack strange: not a Watchbot's description: 'x'", 1),
        ("newer", {"MyWatchbot": json.dumps(description)}, "stack newer: the stack speaks contract version 99", 1),
    ):
        deployed.create(name, {"Resources": queue, "Outputs": {key: {"Value": one} for key, one in outputs.items()}})
        ran = deployed.run("send", "x", stack=name, service=None)
        assert (ran.returncode, ran.stdout) == (exit_code, "")
        assert says in ran.stderr


def test_a_watchbot_that_cannot_be_read_is_never_passed_over_for_another(deployed: Operated) -> None:
    plain = deployed.services["plain"].to_dict()
    other = {**plain, "service": "Other/new", "version": 2}
    outputs = {"OneWatchbot": json.dumps(plain), "TwoWatchbot": json.dumps(other), "MyWatchbot": "something else"}
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    deployed.create("both", {**template, "Outputs": {key: {"Value": one} for key, one in outputs.items()}})
    version = "the stack speaks contract version 2 and this program version 1"
    for service, exit_code, says in (
        (None, 2, "name one with --service: Operated/plain, or one that this program cannot read: "),
        (
            "new",
            1,
            "--service 'new' is not in stack both, which holds Operated/plain, and one that this program cannot",
        ),
    ):
        ran = deployed.run("dead-letter", "list", stack="both", service=service)
        assert (ran.returncode, ran.stdout) == (exit_code, "")
        assert says in ran.stderr
        assert version in ran.stderr
    assert deployed.run("dead-letter", "list", stack="both", service="plain").returncode == 0


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AccessDenied", "these AWS credentials may not call DescribeStacks: because AccessDenied"),
        ("ExpiredToken", "the AWS credentials have expired: get new ones"),
        ("InvalidClientTokenId", "AWS does not take the credentials"),
        ("Throttling", "AWS throttles DescribeStacks, 5 times in a row: try again later"),
        ("Surprise", "AWS refuses DescribeStacks: because Surprise (Surprise)"),
    ],
)
def test_what_aws_refuses_is_a_sentence(deployed: Operated, refusing: str, code: str, says: str) -> None:
    ran = deployed.run("send", "x", AWS_ENDPOINT_URL=refusing, AWS_ACCESS_KEY_ID=code)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert ran.stderr.startswith(f"watchbot: {says}")


@pytest.mark.parametrize(
    ("variables", "arguments", "exit_code", "says"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, [], 1, "no AWS credentials: name a profile"),
        ({}, ["--profile", "nobody"], 2, "the AWS settings cannot be used: The config profile (nobody) could not be"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}, [], 2, "no region is known: name it with --region"),
        ({}, ["--region", "no region"], 2, "the AWS settings cannot be used"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, [], 1, "AWS cannot be reached"),
    ],
)
def test_without_a_way_to_aws_it_says_what_is_missing(
    deployed: Operated, variables: dict[str, str], arguments: list[str], exit_code: int, says: str
) -> None:
    ran = deployed.run("send", "x", *arguments, AWS_CONFIG_FILE="/dev/null", **variables)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (exit_code, "", 1)
    assert ran.stderr.startswith(f"watchbot: {says}")


def test_another_region_says_that_the_stack_is_not_there(deployed: Operated) -> None:
    ran = deployed.run("send", "x", "--region", "eu-north-1", stack="elsewhere")
    assert ran.returncode == 2
    assert "there is no stack 'elsewhere' in eu-north-1 of this account" in ran.stderr


def test_a_reader_that_goes_away_hides_nothing(deployed: Operated) -> None:
    plain = deployed.services["plain"]
    put(deployed.sqs, plain, *(f"{number} {'x' * 20_000}" for number in range(40)))
    command = deployed.command("dead-letter", "list", "--json")
    with subprocess.Popen(command, env=deployed.environment(), stdout=-1, stderr=-1) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        talk = running.stderr.read().decode()
    assert running.returncode == 1
    assert talk == "watchbot: standard output cannot be written to: Broken pipe\n"
    assert deployed.counts(plain.dead_letter_queue_url) == (40, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["dead-letter", "list"],
        ["dead-letter", "show", "nobody's"],
        ["dead-letter", "export", "-"],
        ["send", "x", "--json"],
    ],
    ids=" ".join,
)
def test_no_reader_at_all_is_a_sentence(operated: Operated, arguments: list[str]) -> None:
    put(operated.sqs, operated.services["plain"], "one")
    if "show" in arguments:
        (letter,) = operated.run("dead-letter", "list", "--json").stdout.splitlines()
        arguments = [*arguments[:-1], json.loads(letter)["message_id"]]
    reading, writing = os.pipe()
    os.close(reading)
    command = operated.command(*arguments)
    ran = subprocess.run(command, env=operated.environment(), stdout=writing, stderr=-1, text=True, check=False)
    os.close(writing)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "watchbot: standard output cannot be written to: Broken pipe"
    assert "Traceback" not in ran.stderr
