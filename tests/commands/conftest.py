"""Tests of the command line use the embedded AWS, and the stacks in it, of the acceptance tests."""

from __future__ import annotations

from tests.acceptance.conftest import debugged, emulator, operated

__all__ = ["debugged", "emulator", "operated"]
