"""``watchbot worker-capacity``: how many more workers there is room for now.

What a worker takes and where it may run is read from the service as it is deployed. Each place is a pool: the
instances of a cluster or of a capacity provider, or what the account may use of Fargate. What of a pool cannot be
read is said in its place.
"""

from __future__ import annotations
