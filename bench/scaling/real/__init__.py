"""The simulator of ``watchbot simulate`` held against real watchers on the embedded AWS, in compressed time.

Real are the queue and what it says of itself, the watchers and their jobs, and how they protect themselves. The alarms
and policies are the simulator's own, read from the template: they decide the same of the same metrics in both. So what
is compared is its model of queue, watchers, starts and protection, and how these work on each other.
"""

from __future__ import annotations
