"""Property tests: the same examples in every run, and no deadline on a machine that others use too."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.acceptance.conftest import emulator, queues

__all__ = ["emulator", "queues"]

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("repeatable")
