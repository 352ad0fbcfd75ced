"""``watchbot dead-letter``: what a person does with dead letters.

Dead letters are borrowed from their queue (:mod:`borrowing`), chosen (:mod:`selection`), and read, returned to the
work queue (:mod:`returning`) or deleted; what is still borrowed at the end is given back. A whole queue is moved by
SQS itself (:mod:`move_task`). :mod:`triage` asks a person about each.
"""

from __future__ import annotations
