"""The real clients of every service go where the settings say: through a proxy, to hosts of a private authority."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.httpsession import get_cert_path

from tests.acceptance.program import Program
from tests.acceptance.queue import Queues
from tests.certificates import Authority
from tests.fault.aws_behind_proxy import REGION, ConnectProxy, PrivateAws
from watchbot.aws_session import AwsAccess, Connection
from watchbot.ecs import BotoEcs
from watchbot.payload import Pointer
from watchbot.payload_store import BotoPayloads
from watchbot.signing_secret import BotoSecrets
from watchbot.sns import BotoSns, Notification
from watchbot.sqs import BotoSqs, SqsError
from watchbot.task_log import BotoStreams
from watchbot.trusted_certificates import TrustedCertificates
from watchbot_cli.local.emulator import ACCESS_KEY_ID, SECRET

QUEUE = f"https://sqs.{REGION}.amazonaws.com/123456789012/jobs"
PROXY_LOGIN = "Proxy-Authorization: Basic " + base64.b64encode(b"user:hush").decode()


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def aws(authority: Authority, tmp_path: Path) -> Iterator[PrivateAws]:
    with PrivateAws(authority, tmp_path).running() as aws:
        yield aws


@pytest.fixture
def proxy(aws: PrivateAws) -> Iterator[ConnectProxy]:
    with ConnectProxy(aws.port).running() as proxy:
        yield proxy


@pytest.fixture
def connection(authority: Authority, proxy: ConnectProxy) -> Connection:
    return Connection(
        region=REGION, https_proxy=f"http://user:hush@127.0.0.1:{proxy.port}", ca_certificate=authority.pem
    )


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def _access(connection: Connection) -> AwsAccess:
    return AwsAccess({"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4"}, QUEUE, None, connection)


async def _received(access: AwsAccess) -> None:
    wire = BotoSqs(QUEUE, 180, 1, access, poll_seconds=1)
    try:
        await wire.receive(1)
    finally:
        wire.close()


def test_every_service_is_called_through_the_proxy_and_trusted_by_the_private_authority(
    connection: Connection, proxy: ConnectProxy, tmp_path: Path
) -> None:
    access = _access(connection)

    async def call_all() -> None:
        await _received(access)
        await BotoEcs("cluster", access).list_tasks()
        await BotoPayloads(access, 600).fetch(Pointer("my-bucket", "key"), str(tmp_path / "payload"), 1_048_576)
        await BotoSns(f"arn:aws:sns:{REGION}:123456789012:t", access).publish(Notification("s", "t"))
        assert await BotoSecrets(access, "secret", None).fetch() == (b"signed", b"signed")
        assert await BotoStreams("group", access).last("stream", 10) == ["a line"]

    asyncio.run(call_all())
    assert (tmp_path / "payload").read_bytes() == b"payload"
    hosts = ("sqs", "ecs", "my-bucket.s3", "sns", "secretsmanager", "logs")
    assert {line.split()[1] for line in proxy.asked} == {f"{host}.{REGION}.amazonaws.com:443" for host in hosts}
    assert {line.split()[0] for line in proxy.asked} == {"CONNECT"}
    assert proxy.authorizations == {PROXY_LOGIN}


def test_without_the_certificate_the_hosts_are_not_trusted(connection: Connection) -> None:
    with pytest.raises(SqsError, match="certificate verify failed"):
        asyncio.run(_received(_access(dataclasses.replace(connection, ca_certificate=None))))


def test_public_authorities_stay_trusted(authority: Authority) -> None:
    def trusted(path: str) -> set[bytes]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
        return set(context.get_ca_certs(binary_form=True))

    own = ssl.PEM_cert_to_DER_cert(authority.pem)
    file = TrustedCertificates(authority.pem).path
    assert trusted(file) == trusted(str(get_cert_path(True))) | {own}
    with pytest.raises(PermissionError):
        Path(file).write_bytes(b"")


def test_a_proxys_password_is_in_no_error(connection: Connection) -> None:
    nowhere = dataclasses.replace(connection, https_proxy="http://user:hush@127.0.0.1:1")
    with pytest.raises(SqsError) as caught:
        asyncio.run(_received(_access(nowhere)))
    assert "proxy" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_hosts_that_need_no_proxy_are_called_directly(
    connection: Connection, aws: PrivateAws, proxy: ConnectProxy
) -> None:
    endpoints = (("sqs", f"https://localhost:{aws.port}"),)
    direct = dataclasses.replace(connection, no_proxy=("localhost",), endpoint_urls=endpoints)
    asyncio.run(_received(_access(direct)))
    assert not proxy.asked


class _Agent:
    """ECS's own endpoints on loopback: credentials, and the state of scale-in protection."""

    def __init__(self) -> None:
        self.gives = True
        self.asked: list[str] = []
        agent = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                agent.asked.append("GET")
                role = {
                    "AccessKeyId": ACCESS_KEY_ID,
                    "SecretAccessKey": SECRET,
                    "Token": "t",
                    "Expiration": "2099-01-01T00:00:00Z",
                }
                self.send_response(200 if agent.gives else 500)
                self.end_headers()
                self.wfile.write(json.dumps(role).encode() if agent.gives else b"{}")

            def do_PUT(self) -> None:
                agent.asked.append("PUT")
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"protection": {"ProtectionEnabled": true}}')

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> _Agent:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environment(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self._server.server_port}"
        return {
            "ECS_CONTAINER_METADATA_URI_V4": url,
            "ECS_AGENT_URI": url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials",
        }


@pytest.fixture
def agent() -> Iterator[_Agent]:
    with _Agent() as agent:
        yield agent


def test_the_program_uses_them_and_its_worker_sees_nothing_of_it(
    authority: Authority, aws: PrivateAws, proxy: ConnectProxy, agent: _Agent, tmp_path: Path
) -> None:
    """ECS's own endpoints are asked directly, whatever proxy the watcher or the container's environment has."""
    aws.messages.append({"MessageId": "m", "ReceiptHandle": "r", "Body": "x"})
    seen = tmp_path / "seen"
    environment = {
        "PATH": os.environ["PATH"],
        **agent.environment(),
        "AWS_REGION": "us-west-2",
        "WATCHBOT_REGION": REGION,
        "WATCHBOT_QUEUE_URL": QUEUE,
        "WATCHBOT_DEBUG": "true",
        "WATCHBOT_HTTPS_PROXY": f"http://user:hush@127.0.0.1:{proxy.port}",
        "WATCHBOT_NO_PROXY": "nothing.internal",
        "WATCHBOT_CA_CERTIFICATE": authority.pem,
        "WATCHBOT_WORKER_ENV_HTTPS_PROXY": "http://theirs:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
    }
    command = [sys.executable, "-P", "-m", "watchbot", "listen", "--", "sh", "-c", f"env >{seen}"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
        try:
            assert aws.deleted.wait(60)
        finally:
            program.terminate()
            log = program.communicate(timeout=60)[0].decode()
    assert program.returncode == 0, log
    assert {line.split()[1] for line in proxy.asked} == {f"sqs.{REGION}.amazonaws.com:443"}
    assert {"GET", "PUT"} <= set(agent.asked)
    text = seen.read_text()
    assert "HTTPS_PROXY=http://theirs:1" in text
    assert "AWS_REGION=us-west-2" in text
    for secret in ("hush", "BEGIN CERTIFICATE"):
        assert secret not in text
        assert secret not in log


def test_credentials_that_fail_at_the_start_are_waited_for(queues: Queues, agent: _Agent) -> None:
    agent.gives = False
    program = Program(queues, "true", region="us-east-1", endpoint_url=queues.emulator.endpoint_url)
    for name in [name for name in program.environment if name.startswith("AWS_")]:
        del program.environment[name]
    program.environment.update(agent.environment())
    queues.send("x")
    with program:
        assert "credentials" in program.hears("queue.error").fields["reason"]
        agent.gives = True
        assert program.hears("job.finished").fields["settlement"] == "deleted"
