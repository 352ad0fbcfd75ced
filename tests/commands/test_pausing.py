"""``watchbot pause`` and ``watchbot resume``, as they are typed, also when they are killed midway."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from tests.acceptance.operated import Operated
from watchbot_cdk import Scaling, Watchbot
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.pausing.capacity import SCALING
from watchbot_cli.pausing.pausable import TAG

_PATIENCE_SECONDS = 60
_AUTOSCALING = "AnyScaleFrontendService"
_DESIRED = 3
_SUSPENDED = dict(zip(SCALING, (True, False, False), strict=True))


@functools.cache
def _synthesised() -> Mapping[str, Any]:
    app = App()
    stack = Stack(app, "Scaled")
    Watchbot(stack, "plain", image=ecs.ContainerImage.from_registry("my/worker"), watchers=Scaling(min=1, max=9))
    template: Mapping[str, Any] = app.synth().get_stack_by_name("Scaled").template
    return template


class _Endpoint(http.server.ThreadingHTTPServer):
    """The embedded AWS, with the Application Auto Scaling that it lacks; one of the writes may get no answer.

    ``targets`` are scalable targets by the service they scale. Of the ``halts_at``-th write ``halted`` tells, once it
    was carried out or instead of that.
    """

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.targets: dict[str, dict[str, Any]] = {}
        self.halts_at = 0
        self.halts_before = False
        self.halted = threading.Event()

    def answer(self, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        service, _, action = target.rpartition(".")
        is_write = action.startswith(("Tag", "Untag", "Register", "Update"))
        self.halts_at -= is_write
        halts = is_write and self.halts_at == 0
        if halts and self.halts_before:
            self._halt()
        answer = self._scaling(action, json.loads(body)) if service == _AUTOSCALING else self._forward(headers, body)
        if halts:
            self._halt()
        return answer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever asked was killed."""

    def _halt(self) -> None:
        """Answer nothing, and do nothing later."""
        self.halted.set()
        threading.Event().wait(_PATIENCE_SECONDS)
        raise ConnectionAbortedError

    def _scaling(self, action: str, asked: Mapping[str, Any]) -> tuple[int, bytes]:
        if action == "DescribeScalableTargets":
            found = [self.targets[one] for one in asked["ResourceIds"] if one in self.targets]
            return 200, json.dumps({"ScalableTargets": found}).encode()
        # What a registration does not name stays as it is.
        self.targets[asked["ResourceId"]] |= asked
        return 200, b"{}"

    def _forward(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        request = urllib.request.Request(self.upstream, body, dict(headers))
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.server.answer(self.headers.get("X-Amz-Target", ""), dict(self.headers), body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class _Scaled:
    """A stack whose service has three watchers and scales from one to nine, never in by its metrics."""

    def __init__(self, operated: Operated, endpoint: _Endpoint) -> None:
        self._operated = operated
        self.endpoint = endpoint
        self._described = operated.services["plain"]
        self.ecs: Any = operated.emulator.client("ecs")
        self.ecs.register_task_definition(
            family="watcher", containerDefinitions=[{"name": "watcher", "image": "watcher", "memory": 128}]
        )
        self.ecs.create_cluster(clusterName=self._described.cluster)
        self.ecs.create_service(
            cluster=self._described.cluster,
            serviceName=self._described.ecs_service,
            taskDefinition="watcher",
            desiredCount=_DESIRED,
        )
        resources = _synthesised()["Resources"].values()
        (given,) = (one["Properties"] for one in resources if one["Type"].endswith("::ScalableTarget"))
        self._resource = f"service/{self._described.cluster}/{self._described.ecs_service}"
        endpoint.targets[self._resource] = {
            "ResourceId": self._resource,
            "ServiceNamespace": given["ServiceNamespace"],
            "ScalableDimension": given["ScalableDimension"],
            "MinCapacity": given["MinCapacity"],
            "MaxCapacity": given["MaxCapacity"],
            "RoleARN": "arn:aws:iam::111122223333:role/scaling",
            "CreationTime": 0,
            "SuspendedState": _SUSPENDED,
        }

    def state(self) -> tuple[int, dict[str, Any], list[str]]:
        """How many watchers are wanted, what scales them, and the service's tags."""
        (service,) = self.ecs.describe_services(
            cluster=self._described.cluster, services=[self._described.ecs_service], include=["TAGS"]
        )["services"]
        tags = [tag["key"] for tag in service.get("tags", [])]
        return service["desiredCount"], dict(self.endpoint.targets[self._resource]), tags

    def remove(self) -> None:
        """Make room for a service of the same name."""
        self.ecs.delete_service(cluster=self._described.cluster, service=self._described.ecs_service, force=True)

    def run(self, *arguments: str) -> str:
        ran = self._operated.run(*arguments, AWS_ENDPOINT_URL=self.endpoint.url)
        assert (ran.returncode, ran.stderr) == (0, "")
        return ran.stdout

    def is_killed_at(self, write: int, command: str, *, before: bool) -> None:
        """Kill a command whose so-many-th write was made, or was about to be."""
        self.endpoint.halts_at, self.endpoint.halts_before = write, before
        environment = self._operated.environment(AWS_ENDPOINT_URL=self.endpoint.url)
        with subprocess.Popen(self._operated.command(command), env=environment) as running:
            assert self.endpoint.halted.wait(_PATIENCE_SECONDS)
            running.kill()
        self.endpoint.halts_at = 0
        self.endpoint.halted.clear()


@pytest.fixture
def scaled(emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[_Scaled]:
    name = "".join(one if one.isalnum() else "-" for one in request.node.name)[-50:].strip("-")
    with _Endpoint(emulator.endpoint_url) as endpoint:
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        there = _Scaled(Operated(emulator, f"Scaled-{name}", _synthesised()), endpoint)
        yield there
        there.remove()
        endpoint.shutdown()


def test_a_service_is_paused_and_comes_back_exactly_as_it_was(scaled: _Scaled) -> None:
    before = scaled.state()
    assert (before[1]["MinCapacity"], before[1]["MaxCapacity"]) == (1, 9)
    assert "is paused: jobs that run go on, and resume brings back 3 watchers" in scaled.run("pause")
    desired, target, tags = scaled.state()
    assert (desired, tags) == (0, [TAG])
    assert all(target["SuspendedState"].values())
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert json.loads(scaled.run("pause", "--json")) == {"service": "Scaled/plain", "paused": True, "watchers": 3}
    assert "is resumed with 3 watchers" in scaled.run("resume")
    assert scaled.state() == before
    assert "is not paused: nothing was done" in scaled.run("resume")


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 3])
def test_a_pause_that_is_killed_at_any_write_is_undone_by_resume(scaled: _Scaled, write: int, before: bool) -> None:
    as_it_was = scaled.state()
    scaled.is_killed_at(write, "pause", before=before)
    scaled.run("resume")
    assert scaled.state() == as_it_was


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 3])
def test_a_resume_that_is_killed_at_any_write_is_ended_by_the_next(scaled: _Scaled, write: int, before: bool) -> None:
    as_it_was = scaled.state()
    scaled.run("pause")
    scaled.is_killed_at(write, "resume", before=before)
    scaled.run("resume")
    assert scaled.state() == as_it_was
