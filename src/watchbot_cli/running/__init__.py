"""``watchbot run``: one message's job on this machine, for whoever debugs its worker.

The message is read (:mod:`given`), the app's service is put on an embedded AWS as ``watchbot local`` does, and a
process beside us (:mod:`job_process`, started by :mod:`beside`) opens the message and runs the worker, or a container
of its image (:mod:`container`), as a watcher does. What that would have done with the outcome is said at the end
(:mod:`verdict`).
"""

from __future__ import annotations
