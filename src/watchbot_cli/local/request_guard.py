"""Keeps an AWS on this machine for whoever started it: web pages, and other users of the machine, are refused.

``python -m watchbot_cli.local.request_guard`` runs ministack behind it, in one process: a proxy would be a second hop
for every request. A page in a browser can send requests to a port of the loopback address, and with a name that it
resolves anew (DNS rebinding) read the answers; any other user of the machine can connect to the port as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""https://asgi.readthedocs.io/en/latest/specs/main.html"""

_FROM_A_PAGE = (b"origin", b"sec-fetch-")
"""Headers that browsers add and no page can leave out or change.

https://developer.mozilla.org/en-US/docs/Glossary/Forbidden_request_header
"""


_IN_HEADER = re.compile(rb"Credential=([A-Z0-9]+)/")
_IN_QUERY = re.compile(rb"(?:^|&)(?:X-Amz-Credential|AWSAccessKeyId)=([A-Z0-9]+)")
"""Of a presigned URL, of signature version 4 and of version 2, which boto3 makes by default for S3."""

_HANDED_OUT = re.compile(rb"<AccessKeyId>([A-Z0-9]+)</AccessKeyId>")


class RequestGuard:
    """Passes on what names the access key and was sent to a name of this machine's, and answers 403 to all else.

    The key is a password, new for each run; so are those that STS hands out to who has it, as for an assumed role. It
    is looked for where AWS clients and presigned URLs have it, and that costs microseconds; no signature is computed,
    which would cost more and keep nobody else out.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """

    def __init__(self, application: Application, access_key_id: str, address: str) -> None:
        self._application = application
        self._keys = {access_key_id.encode()}
        self._hosts = {address.encode(), b"127.0.0.1", b"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the server's; its own start and end are passed on."""
        reason = None if scope["type"] == "lifespan" else self._refusal(scope)
        if reason is None:
            await self._application(scope, receive, self._noting_keys(send) if _is_for_sts(scope) else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            body = f"refused by watchbot's local AWS: {reason}\n".encode()
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _refusal(self, scope: Scope) -> str | None:
        in_query = _IN_QUERY.search(scope.get("query_string", b""))
        hosts, signed = [], in_query is not None and in_query[1] in self._keys
        for written, value in scope["headers"]:
            name = written.lower()
            if name.startswith(_FROM_A_PAGE):
                return f"it comes from a browser, as its header {name.decode('latin-1')} says"
            if name == b"host":
                hosts.append(value.rpartition(b":")[0] or value)
            elif name == b"authorization":
                in_header = _IN_HEADER.search(value)
                signed = signed or (in_header is not None and in_header[1] in self._keys)
        if len(hosts) != 1 or not self._is_ours(hosts[0].lower()):
            return "it was sent to a host name that is not this machine's"
        return None if signed else "it is not signed with the access key of this run"

    def _noting_keys(self, send: Send) -> Send:
        async def noting(event: MutableMapping[str, Any]) -> None:
            self._keys.update(_HANDED_OUT.findall(event.get("body", b"")))
            await send(event)

        return noting

    def _is_ours(self, host: bytes) -> bool:
        # Buckets may be part of the name; nothing under localhost is found by DNS: https://www.rfc-editor.org/rfc/rfc6761
        return host in self._hosts or host.endswith(b".localhost")


def _is_for_sts(scope: Scope) -> bool:
    return any(name == b"authorization" and b"/sts/aws4_request" in value for name, value in scope.get("headers", ()))


def main() -> None:
    """Run ministack, as its own environment variables say, behind the guard."""
    from ministack import app

    app.app = RequestGuard(app.app, os.environ["AWS_ACCESS_KEY_ID"], os.environ["BIND_HOST"])
    app.main()


if __name__ == "__main__":
    main()
