"""An ECS agent that does not do what it should: messages go on, and what is wrong is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from watchbot_cli.local.emulator import Emulator

ANSWERS = {
    "an error": b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "less than it promised": b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{}",
    "nothing and a hang-up": b"",
    "a failure in another shape": b'HTTP/1.1 400 No\r\nContent-Length: 18\r\n\r\n{"failure": "why"}',
}


class BrokenAgent:
    """Answers every connection with the same bytes and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> BrokenAgent:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(self._answer)


def test_an_agent_that_fails_fails_no_message_and_is_asked_again(emulator: Emulator) -> None:
    """One watcher for each way to fail, side by side: the release comes ten seconds after the last job."""
    with contextlib.ExitStack() as stack:
        programs = []
        for number, answer in enumerate(ANSWERS.values()):
            queues = Queues(emulator, f"protection-{number}")
            queues.send("x")
            program = Program(queues, "exit 0")
            program.environment["ECS_AGENT_URI"] = stack.enter_context(BrokenAgent(answer)).uri
            programs.append(stack.enter_context(program))
        for program in programs:
            assert program.hears("job.finished").fields["settlement"] == "deleted"
            program.hears("protection.failed", 2)
            assert program.events("watcher.bug") == []
