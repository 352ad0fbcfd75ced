from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.notice import Busy, Idle
from watchbot.protection import EcsAgent, Protection, ProtectionError


class FakeAgent:
    """Remembers what it was asked when, and refuses when told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, int | None]] = []
        self.refuses: ProtectionError | None = None

    async def protect(self, minutes: int | None) -> None:
        self.asked.append((asyncio.get_running_loop().time(), minutes))
        if self.refuses is not None and minutes is not None:
            raise self.refuses


def _protection(agent: FakeAgent, told: list[str], blocked: Callable[[str], None] | None = None) -> Protection:
    return Protection(agent, 3600, blocked=told.append if blocked is None else blocked, failed=told.append)


def test_protection_is_taken_when_jobs_begin_renewed_and_released_ten_seconds_after_the_last() -> None:
    async def scenario() -> list[tuple[float, int | None]]:
        agent = FakeAgent()
        protection = _protection(agent, [])
        running = asyncio.create_task(protection.run())
        await asyncio.sleep(5)
        protection(Busy())
        await asyncio.sleep(700)
        protection(Idle())
        await asyncio.sleep(5)
        protection(Busy())
        await asyncio.sleep(100)
        protection(Idle())
        await asyncio.sleep(60)
        running.cancel()
        return agent.asked

    asked = run_virtual(scenario())
    assert [(round(at), minutes) for at, minutes in asked] == [(5, 70), (305, 70), (605, 70), (820, None)]


def test_a_call_that_fails_is_said_and_changes_nothing() -> None:
    async def scenario() -> list[str]:
        agent, told = FakeAgent(), list[str]()
        agent.refuses = ProtectionError("no agent")
        protection = _protection(agent, told)
        running = asyncio.create_task(protection.run())
        protection(Busy())
        await asyncio.sleep(301)
        assert not running.done()
        running.cancel()
        return told

    assert run_virtual(scenario()) == ["no agent", "no agent"]


@pytest.mark.parametrize("refused_at", [0, 1])
def test_when_the_service_wants_fewer_tasks_running_jobs_finish_without_a_limit_and_the_watcher_ends(
    refused_at: int,
) -> None:
    """On the first call as on a later one."""

    async def scenario() -> tuple[SimulatedSqs, int, float]:
        sqs, agent = SimulatedSqs(), FakeAgent()
        sqs.put("long", "next")
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(seconds=5000)))
        protection = _protection(agent, [], blocked=watch.stop.retire)
        watch.listeners.append(protection)
        running = asyncio.create_task(protection.run())
        if refused_at:
            await asyncio.sleep(10)
        agent.refuses = ProtectionError("DEPLOYMENT_BLOCKED", blocked=True)
        exit_code = await watch.ended()
        running.cancel()
        return sqs, exit_code, asyncio.get_running_loop().time()

    sqs, exit_code, ended_at = run_virtual(scenario())
    assert exit_code == 0
    assert list(sqs.deleted) == ["m1"]
    assert sqs.stored["m2"].receives == []
    assert 5000 <= ended_at <= 5030


@pytest.fixture
def agent_endpoint() -> Iterator[tuple[str, list[Any], list[tuple[int, bytes]]]]:
    """A real HTTP endpoint: its address, what it was sent, and what it is to answer."""
    sent: list[Any] = []
    answers: list[tuple[int, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            sent.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/id", sent, answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_agent_is_asked_as_its_documentation_says(
    agent_endpoint: tuple[str, list[Any], list[tuple[int, bytes]]],
) -> None:
    url, sent, answers = agent_endpoint
    answers += [(200, b'{"protection": {"ProtectionEnabled": true}}'), (200, b'{"protection": {}}')]
    agent = EcsAgent(url)
    asyncio.run(agent.protect(70))
    asyncio.run(agent.protect(None))
    assert sent == [
        ("/api/id/task-protection/v1/state", {"ProtectionEnabled": True, "ExpiresInMinutes": 70}),
        ("/api/id/task-protection/v1/state", {"ProtectionEnabled": False}),
    ]


@pytest.mark.parametrize(
    ("status", "body", "blocked"),
    [
        (200, b'{"failure": {"Arn": "a", "Reason": "DEPLOYMENT_BLOCKED"}}', True),
        (400, b'{"error": {"Code": "InvalidParameterException", "Message": "why"}}', False),
        (500, b"oops", False),
        (200, b"[]", False),
    ],
)
def test_a_refusal_is_an_error_that_says_whether_the_service_wants_fewer_tasks(
    agent_endpoint: tuple[str, list[Any], list[tuple[int, bytes]]], status: int, body: bytes, blocked: bool
) -> None:
    url, _, answers = agent_endpoint
    answers.append((status, body))
    with pytest.raises(ProtectionError) as caught:
        asyncio.run(EcsAgent(url).protect(5))
    assert caught.value.blocked is blocked


def test_an_agent_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ProtectionError, match="cannot be reached"):
        asyncio.run(EcsAgent("http://127.0.0.1:9").protect(5))


def test_without_a_thread_to_ask_in_the_agent_is_asked_again_later() -> None:
    failures: list[str] = []

    class Agent:
        asked = 0

        async def protect(self, minutes: int | None) -> None:
            self.asked += 1
            raise RuntimeError("can't start new thread")

    async def scenario() -> int:
        agent = Agent()
        protection = Protection(agent, 60, blocked=failures.append, failed=failures.append)
        running = asyncio.create_task(protection.run())
        protection(Busy())
        await asyncio.sleep(700)
        running.cancel()
        return agent.asked

    assert run_virtual(scenario()) == 3
    assert failures == ['the watcher failed: RuntimeError("can\'t start new thread")'] * 3
