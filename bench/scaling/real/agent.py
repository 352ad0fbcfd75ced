"""The endpoint by which watchers protect their tasks, as the ECS agent offers it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class Agent:
    """Listens while the ``with`` block runs; ``protect`` is told the number of a task and its wish, and may refuse.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
    """

    def __init__(self, protect: Callable[[int, bool], bool]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(protect))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Agent:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def uri(self, number: int) -> str:
        """Give the address for a task."""
        return f"http://127.0.0.1:{self._server.server_port}/{number}"


def _handler(protect: Callable[[int, bool], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            granted = protect(int(self.path.split("/")[1]), wish["ProtectionEnabled"])
            answer = {"protection": wish} if granted else {"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}
            body = json.dumps(answer).encode()
            self.send_response(200 if granted else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler
