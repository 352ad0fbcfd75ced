"""As tests/property/test_progress_reducing.py, with every kind of job."""

from __future__ import annotations

import pytest

from tests.property.test_progress_reducing import JOBS, do_job, orders


@pytest.mark.parametrize("job", JOBS)
def test_the_reduce_message_is_sent_in_whatever_order_two_workers_write_and_wherever_they_die(job: str) -> None:
    for order in orders():
        do_job(*JOBS[job], order)
