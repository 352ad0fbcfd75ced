"""Messages to a service's topic or queue.

They are read and checked (:mod:`outgoing`) by the rules of where they go (:mod:`destination`), and sent in batches
(:mod:`sender`).
"""

from __future__ import annotations
