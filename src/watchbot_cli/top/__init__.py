"""``watchbot top``: the screen of ``watchbot status``, drawn again and again.

One thread reads, the other draws and listens to the keyboard: an AWS that does not answer holds up neither.
"""

from __future__ import annotations
