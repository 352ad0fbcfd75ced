"""What an ECS task finds at its host: credentials of its role, its metadata, and the agent's task protection."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from watchbot_cli.local.emulator import ACCESS_KEY_ID, SECRET

ADDRESS = "169.254.170.2"
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"""


class EcsHost:
    """Serves tasks at the address that ECS uses, on a network whose gateway has it."""

    def __init__(self) -> None:
        self.protections: list[bool] = []
        self.credentials_given = 0
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.credentials_given += 1
                credentials = {
                    "AccessKeyId": ACCESS_KEY_ID,
                    "SecretAccessKey": SECRET,
                    # The embedded S3 takes no token in a URL but those of its own STS.
                    "Token": "",
                    "Expiration": "2099-01-01T00:00:00Z",
                }
                self._answer(credentials)

            def do_PUT(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                host.protections.append(asked["ProtectionEnabled"])
                self._answer({"protection": {"ProtectionEnabled": asked["ProtectionEnabled"]}})

            def _answer(self, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((ADDRESS, 80), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def environment(self, region: str) -> dict[str, str]:
        """Give the variables that ECS sets in every container of a task."""
        return {
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1",
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "ECS_AGENT_URI": f"http://{ADDRESS}/api/1",
            "ECS_CONTAINER_METADATA_URI_V4": f"http://{ADDRESS}/v4/1",
        }

    def __enter__(self) -> EcsHost:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
