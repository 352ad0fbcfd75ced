"""``watchbot dead-letter``: what a person does with dead letters.

Dead letters are borrowed from their queue (:mod:`borrowing`), chosen (:mod:`selection`), and read, returned to the
work queue (:mod:`returning`) or deleted (:mod:`removal`); what is still borrowed at the end is given back, and what
became of all is told (:mod:`account`). A whole queue is moved by SQS itself (:mod:`move_task`). What was exported
(:mod:`exported`) is sent again (:mod:`importing`). :mod:`triage` asks a person about each.
"""

from __future__ import annotations
