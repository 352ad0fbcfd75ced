"""What the real embedded AWS gives to others than whoever started it: nothing."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from watchbot_cli.local.emulator import ACCESS_KEY_ID, Emulator

FUNCTION = json.dumps({"FunctionName": "evil", "Runtime": "python3.11", "Role": "r", "Handler": "f.h", "Code": {}})
KEY = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260101/us-east-1/lambda/aws4_request, Signature=0"


def _post(emulator: Emulator, path: str, body: str, **headers: str) -> tuple[int, bytes]:
    told = {name.replace("_", "-"): value for name, value in {"Content_Type": "text/plain", **headers}.items()}
    request = urllib.request.Request(emulator.endpoint_url + path, body.encode(), told, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answered:
            return answered.status, answered.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
        {"Host": "evil.example"},
        {},
    ],
    ids=["origin", "fetch", "rebound", "keyless"],
)
def test_a_web_page_creates_no_function_and_sends_no_message(emulator: Emulator, headers: dict[str, str]) -> None:
    for path, body in (
        ("/2015-03-31/functions", FUNCTION),
        ("/?Action=CreateQueue&QueueName=evil&Version=2012-11-05", ""),
        ("/_ministack/config", "{}"),
        ("/_ministack/reset", ""),
    ):
        status, text = _post(emulator, path, body, **headers)
        assert (status, text[:35]) == (403, b"refused by watchbot's local AWS: it"), path


def test_services_that_run_code_are_not_there(emulator: Emulator) -> None:
    status, text = _post(emulator, "/2015-03-31/functions", FUNCTION, Authorization=KEY)
    assert (status, b"Unsupported service" in text) == (400, True)


def test_a_presigned_url_needs_no_header(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="k", Body=b"the payload")
    url = s3.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": "k"})
    with urllib.request.urlopen(url, timeout=30) as answered:
        assert answered.read() == b"the payload"


def test_it_has_nothing_of_the_shells_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_OF_THE_SHELL", "AWS_SESSION_TOKEN", "AWS_PROFILE", "GITHUB_TOKEN", "AUTH", "S3_PERSIST"):
        monkeypatch.setenv(name, "s3cret")
    with Emulator(tmp_path) as emulator:
        process = emulator.process_id
        environment = Path(f"/proc/{process}/environ").read_text()
        listening = _listening(process)
    assert "s3cret" not in environment
    assert listening == {("0100007F", int(emulator.endpoint_url.rpartition(":")[2]))}


def _listening(process: int) -> set[tuple[str, int]]:
    """Give the addresses, as Linux writes them, and ports at which a process listens."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address, _, port = local.rpartition(":")
                found.add((address, int(port, 16)))
    return found
