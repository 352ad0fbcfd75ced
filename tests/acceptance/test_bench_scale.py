"""The bench of many tasks, small: real watchers on an ECS and an SQS that refuse what AWS refuses."""

from __future__ import annotations

from bench.scale.__main__ import QUICK
from bench.scale.figures import targets
from bench.scale.report import as_json, findings_table
from bench.scale.scenario import play


def test_two_watchers_launch_and_adopt_and_lose_nothing() -> None:
    told: list[str] = []
    found = play(QUICK[0], told.append)
    assert (found.lost, found.twice_at_once, found.unfinished) == (0, 0, 0)
    assert found.deleted >= 40
    assert found.deleted + found.left == 100
    assert found.runs.keys() - {"1"}, "no task has failed and run again"
    assert found.throttled == {}
    assert found.requests["DescribeTasks"] > 0
    assert all(seconds <= 15 for seconds in found.drain_seconds)
    judged = targets(found)
    assert all(target.held for target in judged)
    assert findings_table([found]).row_count > 10
    assert as_json({}, [found], judged)
    assert "two watchers: draining" in told
