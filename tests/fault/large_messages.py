"""An SQS, an ECS and an S3 that answer at once, for a thousand messages of 1 MiB whose tasks run on and on."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
import uuid
from types import TracebackType
from typing import Any

from watchbot.task_request import started_by

ACCOUNT = "arn:aws:ecs:us-east-1:000000000000:task/c"
FAMILY = "large"
_PAGE = 100


def largest_body() -> str:
    """Return an SNS envelope of 1 MiB that costs CPython the most: one emoji, and every character takes four bytes."""
    text = "\U0001f600" + "x" * 1_048_000
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": text}
    return json.dumps(envelope, ensure_ascii=False)


class LargeMessages:
    """Hands out ``adopted`` messages whose tasks run already, received once before, and then ``new`` ones."""

    def __init__(self, adopted: int, new: int) -> None:
        self._lock = threading.Lock()
        self._body = json.dumps(largest_body(), ensure_ascii=False)
        self._md5 = hashlib.md5(largest_body().encode(), usedforsecurity=False).hexdigest()
        self._unsent = [(str(uuid.uuid4()), 2 if number < adopted else 1) for number in range(adopted + new)]
        self._tasks = {self._arn(): started_by(message_id) for message_id, receives in self._unsent if receives > 1}
        self.stored: dict[str, int] = {}
        self.extended = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_PUT(self) -> None:
                size = int(self.headers.get("Content-Length", 0))
                self.rfile.read(size)
                with outer._lock:
                    outer.stored[self.path.partition("?")[0]] = size
                self._say(b"")

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
                self._say(outer.answer(self.headers.get("X-Amz-Target", "").rpartition(".")[2], request).encode())

            def _say(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LargeMessages:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def running(self) -> int:
        """How many tasks run."""
        return len(self._tasks)

    @property
    def bodies_stored(self) -> int:
        """How many messages have their body in the bucket."""
        return sum(1 for path in list(self.stored) if path.endswith("/body"))

    def answer(self, operation: str, request: dict[str, Any]) -> str:
        """Answer one call."""
        match operation:
            case "ReceiveMessage":
                return self._receive(request["MaxNumberOfMessages"])
            case "RunTask":
                arn = self._arn()
                self._tasks[arn] = request["startedBy"]
                return json.dumps({"tasks": [{"taskArn": arn}], "failures": []})
            case "DescribeTasks":
                return json.dumps({"tasks": [self._described(arn) for arn in request["tasks"]], "failures": []})
            case "ListTasks":
                return json.dumps(self._listed(request))
            case _:
                entries = request.get("Entries", [])
                self.extended += len(entries)
                return json.dumps({"Successful": [{"Id": entry["Id"]} for entry in entries], "Failed": []})

    def _receive(self, limit: int) -> str:
        with self._lock:
            sent, self._unsent = self._unsent[:limit], self._unsent[limit:]
        if not sent:
            time.sleep(1)  # a long poll
        return '{"Messages": [' + ",".join(self._message(*one) for one in sent) + "]}"

    def _message(self, message_id: str, receives: int) -> str:
        attributes = {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(int(time.time() * 1000))}
        rest = {"MessageId": message_id, "ReceiptHandle": message_id, "MD5OfBody": self._md5, "Attributes": attributes}
        return f'{json.dumps(rest)[:-1]}, "Body": {self._body}}}'

    def _listed(self, request: dict[str, Any]) -> dict[str, Any]:
        names, start = request.get("startedBy"), int(request.get("nextToken") or 0)
        arns = [arn for arn, name in list(self._tasks.items()) if names in (None, name)]
        if request.get("desiredStatus") == "STOPPED":
            arns = []
        page = {"taskArns": arns[start : start + _PAGE]}
        return {**page, "nextToken": str(start + _PAGE)} if len(arns) > start + _PAGE else page

    def _described(self, arn: str) -> dict[str, Any]:
        began_at = time.time() - 1
        return {
            "taskArn": arn,
            "startedBy": self._tasks[arn],
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "createdAt": began_at,
            "startedAt": began_at,
            "containers": [{"name": "worker"}],
        }

    def _arn(self) -> str:
        return f"{ACCOUNT}/{uuid.uuid4().hex}"
