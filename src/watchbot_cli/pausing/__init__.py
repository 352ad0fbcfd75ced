"""``watchbot pause`` and ``watchbot resume``: receiving stops and starts again without a deployment.

What pausing changes is first written on the ECS service, as a tag, and stays there until all of it is back. So
either command may die anywhere: running it again ends what it began.
"""

from __future__ import annotations
