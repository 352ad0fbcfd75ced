"""Fault tests use the embedded AWS and the queues of the acceptance tests."""

from __future__ import annotations

from tests.acceptance.conftest import emulator, fifo_queues, operated, queues

__all__ = ["emulator", "fifo_queues", "operated", "queues"]
