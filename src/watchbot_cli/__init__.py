"""The operator's command line of Watchbot."""

from __future__ import annotations
