"""How Watchbot scales beside others, in the simulator of ``watchbot simulate``."""

from __future__ import annotations
