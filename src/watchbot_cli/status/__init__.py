"""``watchbot status`` and ``watchbot top``: how a service does, read from AWS in parts and drawn from what was read.

A part that cannot be read, for want of rights or of a network, is said in its place; the others are still shown.
"""

from __future__ import annotations
