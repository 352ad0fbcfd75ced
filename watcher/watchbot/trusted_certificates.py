"""The certificates that the watcher's AWS clients trust, where a private certificate authority signs some of them."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from botocore.httpsession import get_cert_path


class TrustedCertificates:
    """One file with botocore's own certificates and those of a private authority.

    On Linux the file is in memory and sealed. Workers may be processes of the same user in the same container, and a
    file on disk would be theirs to change.
    https://man7.org/linux/man-pages/man2/memfd_create.2.html
    """

    def __init__(self, pem: str) -> None:
        bundle = Path(str(get_cert_path(True))).read_bytes() + b"\n" + pem.encode() + b"\n"
        self.path = _in_memory(bundle) if sys.platform == "linux" else _on_disk(bundle)


def _in_memory(bundle: bytes) -> str:
    import fcntl

    descriptor = os.memfd_create("certificates", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(bundle)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return f"/proc/self/fd/{descriptor}"


def _on_disk(bundle: bytes) -> str:
    with tempfile.NamedTemporaryFile(prefix="watchbot-certificates-", suffix=".pem", delete=False) as file:
        file.write(bundle)
    return file.name
