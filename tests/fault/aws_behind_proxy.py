"""An AWS whose hosts a private authority signs for, behind a proxy that is the only way to it."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.certificates import Authority

REGION = "eu-west-1"
HOSTS = (
    "localhost",
    f"*.{REGION}.amazonaws.com",
    f"*.s3.{REGION}.amazonaws.com",
)

_PUBLISHED = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


class PrivateAws:
    """Answers on loopback as one service after another would; ``messages`` are what the queue has."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.messages: list[dict[str, str]] = []
        self.deleted = threading.Event()
        aws = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"payload")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(aws.answer(self.headers.get("X-Amz-Target", ""), body))

            def _answer(self, content: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = authority.server(HOSTS, folder).wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_port

    def answer(self, target: str, body: bytes) -> bytes:
        match target.rpartition(".")[2]:
            case "ReceiveMessage":
                messages, self.messages = self.messages, []
                return json.dumps({"Messages": messages}).encode()
            case "DeleteMessageBatch":
                self.deleted.set()
                return json.dumps({"Successful": [{"Id": "0"}], "Failed": []}).encode()
            case "GetSecretValue":
                return b'{"SecretString": "signed"}'
            case "ListTasks":
                return b'{"taskArns": []}'
            case "GetLogEvents":
                return b'{"events": [{"message": "a line"}]}'
        return _PUBLISHED

    @contextlib.contextmanager
    def running(self) -> Iterator[PrivateAws]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


class ConnectProxy:
    """A proxy that knows CONNECT, and sends every tunnel to one port here; ``asked`` are the hosts it was asked for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: list[str] = []
        self.authorizations: set[str] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    @contextlib.contextmanager
    def running(self) -> Iterator[ConnectProxy]:
        threading.Thread(target=self._serve, daemon=True).start()
        try:
            yield self
        finally:
            self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n") and (byte := client.recv(1)):
            head += byte
        lines = head.decode().split("\r\n")
        self.asked.append(lines[0])
        self.authorizations |= {line for line in lines if line.startswith("Proxy-Authorization")}
        with client, socket.create_connection(("127.0.0.1", self._port)) as aws:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pass_on, args=(aws, client), daemon=True)
            back.start()
            _pass_on(client, aws)
            back.join(5)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
