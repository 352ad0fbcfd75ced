"""What holds whatever is simulated."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulation.settings import CALM, fixed, scaled
from watchbot.contract import Isolation
from watchbot.process_runner import LONGEST_SECONDS
from watchbot_cli.simulation.agenda import Agenda
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.ledger import Ledger
from watchbot_cli.simulation.peers import backlog_trackings, ecs_watchbot, peers
from watchbot_cli.simulation.queue import MOST_IN_FLIGHT, Queue
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.setting import PROCESS_WALL_SECONDS, SQS_WALL_SECONDS, Conditions, Setting, Size
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload, burst, duration_draw, steady
from watchbot_cli.span import spoken

TASK = Isolation.TASK


@given(
    jobs=st.integers(1, 300),
    mean=st.floats(1, 2000),
    maximum=st.integers(1, 40),
    workers=st.integers(1, 8),
    isolation=st.sampled_from(Isolation),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_every_job_ends_once_and_no_more_tasks_run_than_may(
    jobs: int, mean: float, maximum: int, workers: int, isolation: Isolation, seed: int
) -> None:
    rng = random.Random(seed)
    setting = dataclasses.replace(scaled(maximum, workers=workers), isolation=isolation)
    draw = duration_draw("lognormal", mean, rng)
    workload = steady(0.2, jobs * 5, lambda: min(draw(), SQS_WALL_SECONDS), rng)
    figures = simulate(setting, workload, Conditions(seed=seed, deploy_at_seconds=(120,)))
    assert figures.finished == figures.jobs
    assert figures.job_seconds == pytest.approx(sum(workload.durations))
    assert figures.killed == 0
    assert all(one.desired <= maximum for one in figures.timeline)
    assert all(one.running <= maximum for one in figures.timeline if one.seconds < 120)
    assert figures.timeline[-1].running == 0
    assert figures.timeline[-1].outstanding == 0


@pytest.mark.parametrize("setting", [scaled(100), *peers(scaled(100))], ids=lambda one: one.name)
def test_the_same_seed_gives_the_same_figures(setting: Setting) -> None:
    workload = burst(300, duration_draw("exponential", 90, random.Random(1)))
    one, other = (simulate(setting, workload, Conditions(seed=4)) for _ in range(2))
    assert one == other


def test_one_message_starts_one_task_and_zero_is_zero_again() -> None:
    figures = simulate(scaled(100), burst(1, lambda: 60), CALM)
    assert figures.tasks_started == figures.most_running == 1
    assert figures.waits.max == 60 + 45  # the metric's way to the alarm, and the task's start
    assert figures.timeline[-1].desired == figures.timeline[-1].running == 0
    assert figures.service.seconds <= 6 * 60


def test_no_message_starts_nothing() -> None:
    figures = simulate(scaled(100), Workload([], []), CALM)
    assert figures.tasks_started == 0
    assert figures.waits.p50 is None
    assert figures.drain_seconds == 0


def test_a_killed_job_runs_again_after_its_visibility_timeout() -> None:
    # Tracks only what waits: after fifteen minutes without, the tasks end with the jobs that run in them.
    tracking, _ = backlog_trackings(Setting(name="svc", minimum=1, maximum=10))
    figures = simulate(tracking, burst(10, lambda: 1800), CALM)
    assert figures.killed > 0
    assert figures.finished == 10
    assert figures.job_seconds == 10 * 1800  # what was lost is not counted as done
    assert figures.service.seconds > 10 * 1800


def test_who_never_scales_from_zero_is_given_up() -> None:
    tracking, _ = backlog_trackings(Setting(name="svc", minimum=0, maximum=10))
    figures = simulate(tracking, burst(1, lambda: 60), CALM)
    assert figures.finished == 0
    assert figures.drain_seconds is None
    assert figures.tasks_started == 0


def test_a_queue_asleep_delays_the_first_start_by_fifteen_minutes() -> None:
    awake = simulate(scaled(10), burst(1, lambda: 60), Conditions(idle_before_seconds=5 * 3600))
    asleep = simulate(scaled(10), burst(1, lambda: 60), Conditions(idle_before_seconds=6 * 3600))
    assert awake.waits.max is not None
    assert asleep.waits.max == awake.waits.max + 15 * 60


def test_a_queue_falls_asleep_again() -> None:
    workload = Workload([0.0, 9 * 3600.0], [60.0, 60.0])
    waits = simulate(scaled(10), workload, CALM).waits
    assert (waits.p50, waits.max) == (105 + 450, 105 + 900)  # half of the way from one to the other


@pytest.mark.parametrize(("isolation", "max_receives"), [(TASK, 10), (Isolation.PROCESS, 10), (Isolation.PROCESS, 3)])
def test_a_job_that_spot_interrupts_again_and_again_is_dead_lettered(isolation: Isolation, max_receives: int) -> None:
    setting = dataclasses.replace(fixed(1), isolation=isolation, spot_share=1.0, max_receives=max_receives)
    workload, often = burst(1, lambda: 36_000), Conditions(spot_interruptions_per_hour=60)
    figures = simulate(setting, workload, often)
    assert (figures.interrupted, figures.dead_lettered, figures.finished, figures.left) == (max_receives, 1, 0, 0)
    (note,) = Run.of(setting, workload, often, Prices.read()).notes
    assert note == f"dead-lettered after {max_receives} receives, with no job done: 1"


def test_a_job_that_is_killed_as_often_as_its_message_may_be_received_is_dead_lettered() -> None:
    waiting, _ = backlog_trackings(Setting(name="svc", minimum=1, maximum=100))
    figures = simulate(waiting, burst(200, lambda: 1800), CALM)
    assert figures.dead_lettered > 0
    assert figures.finished + figures.dead_lettered == 200
    endless = simulate(dataclasses.replace(waiting, max_receives=None), burst(200, lambda: 1800), CALM)
    assert (endless.dead_lettered, endless.finished) == (0, 200)
    assert endless.killed > figures.killed


@pytest.mark.parametrize(("isolation", "longest"), [(Isolation.PROCESS, PROCESS_WALL_SECONDS), (TASK, 3600.0)])
def test_a_job_that_takes_longer_than_it_may_never_ends_and_that_is_said(isolation: Isolation, longest: float) -> None:
    setting = dataclasses.replace(fixed(3), isolation=isolation, job_timeout_seconds=longest, max_receives=4)
    workload = Workload([0.0] * 3, [longest, longest + 1, longest + 1])
    figures = simulate(setting, workload, CALM)
    assert (figures.finished, figures.timed_out, figures.dead_lettered) == (1, 8, 2)
    assert figures.drain_seconds is not None
    assert figures.drain_seconds >= 4 * longest + 2 + 4 + 8  # the back-off between them
    stopped, given_up = Run.of(setting, workload, CALM, Prices.read()).notes
    assert f"a job may take {spoken(longest)} at most: 8 times one was stopped" in stopped
    assert given_up == "dead-lettered after 4 receives, with no job done: 2"


def test_a_watcher_of_isolation_process_stops_a_job_when_the_real_one_does() -> None:
    assert PROCESS_WALL_SECONDS == LONGEST_SECONDS


def test_others_do_the_jobs_of_isolation_task_in_tasks_of_that_size() -> None:
    service = dataclasses.replace(scaled(5, workers=20), isolation=TASK, worker_size=Size(4, 8))
    for peer in peers(service):
        assert (peer.isolation, peer.size, peer.workers, peer.maximum) == (Isolation.PROCESS, Size(4, 8), 1, 100)


def test_a_watcher_that_is_always_there_keeps_the_queue_awake() -> None:
    figures = simulate(scaled(10, minimum=1), burst(5, lambda: 60), Conditions(idle_before_seconds=7 * 3600))
    assert figures.most_running > 1
    assert figures.waits.max == 60 + 45


def test_the_fleet_starts_no_faster_than_the_account_and_a_service_may() -> None:
    half, all_of_them = (simulate(scaled(jobs), burst(jobs, lambda: 600), CALM) for jobs in (500, 1000))
    # 100 at once, 400 at 20 a second; the other 500 a minute after these.
    assert half.waits.max == pytest.approx(60 + 45 + 400 / 20)
    assert all_of_them.waits.max == pytest.approx(60 + 45 + 400 / 20 + 60)


def test_a_job_of_isolation_task_waits_for_its_own_task_and_for_a_call_of_run_task() -> None:
    setting = dataclasses.replace(fixed(1, workers=200), isolation=TASK)
    figures = simulate(setting, burst(200, lambda: 60), CALM)
    assert figures.waits.p50 is not None
    assert figures.waits.max == pytest.approx(45 + 180 / 20)
    assert figures.workers.started == 200
    assert figures.workers.seconds == pytest.approx(200 * (45 + 60))
    assert figures.task_hours > figures.service.seconds / 3600


def test_a_stopped_watcher_of_isolation_task_leaves_its_tasks_to_the_next() -> None:
    setting = dataclasses.replace(scaled(10), isolation=TASK)
    workload = Workload([0.0] * 8, [900.0] * 7 + [7200.0])
    figures = simulate(setting, workload, CALM)
    assert figures.killed == 0
    assert figures.workers.started == 8  # none is run twice
    assert figures.service.started >= 8


def test_a_deployment_replaces_the_tasks_and_kills_no_job_of_a_protected_service() -> None:
    deployed = Conditions(deploy_at_seconds=(600,))
    figures = simulate(scaled(10), burst(30, lambda: 1200), deployed)
    assert figures.killed == 0
    assert figures.refused_protection > 0
    assert figures.tasks_started >= 20


def test_a_deployment_kills_jobs_without_protection() -> None:
    setting = dataclasses.replace(scaled(10), protected=False)
    assert simulate(setting, burst(30, lambda: 1200), Conditions(deploy_at_seconds=(600,))).killed > 0


def test_a_deployment_keeps_to_the_shares_of_its_service() -> None:
    idle, deployed = Workload([0.0], [60.0]), Conditions(deploy_at_seconds=(600.0,))
    first_new = dataclasses.replace(fixed(10), protected=False)
    first_old = dataclasses.replace(first_new, least_healthy=0.0, most_running=1.0)
    half = dataclasses.replace(first_new, least_healthy=0.5, most_running=1.0)
    found = {
        name: simulate(setting, idle, deployed)
        for name, setting in (("new", first_new), ("old", first_old), ("half", half))
    }
    fewest = {name: min(one.running for one in figures.timeline) for name, figures in found.items()}
    assert {name: figures.most_running for name, figures in found.items()} == {"new": 11, "old": 10, "half": 10}
    assert fewest == {"new": 10, "old": 0, "half": 5}
    assert {figures.tasks_started for figures in found.values()} == {20}


def test_a_deployment_within_the_same_number_of_tasks_stops_no_protected_one() -> None:
    setting = dataclasses.replace(fixed(4), least_healthy=0.0, most_running=1.0)
    figures = simulate(setting, burst(8, lambda: 900), Conditions(deploy_at_seconds=(60.0,)))
    assert (figures.killed, figures.finished, figures.most_running) == (0, 8, 4)


def test_the_most_at_once_is_not_only_looked_for_each_minute() -> None:
    setting = dataclasses.replace(fixed(10), protected=False)
    figures = simulate(setting, Workload([0.0], [60.0]), Conditions(deploy_at_seconds=(5.0,)))
    assert max(one.running for one in figures.timeline) == 10
    assert figures.most_running == 11  # at 50 s each new one runs before an old one is stopped


def test_events_grow_with_jobs_and_tasks_and_not_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    for jobs in (10_000, 40_000):
        agenda = Agenda()
        monkeypatch.setattr("watchbot_cli.simulation.simulation.Agenda", lambda one=agenda: one)
        figures = simulate(scaled(1000), burst(jobs, lambda: 60), CALM)
        minutes = len(figures.timeline)
        # An end for each job, a start and a release for each task, a tick and an evaluation each minute, the sending.
        assert jobs <= agenda.entered <= jobs + 3 * figures.tasks_started + 2 * minutes + 1


def test_no_task_is_taken_away_while_a_deployment_is_in_progress() -> None:
    deployed = Conditions(deploy_at_seconds=(300,))
    workload = Workload([0.0] * 10, [60.0] * 9 + [5400.0])
    figures = simulate(ecs_watchbot(scaled(10)), workload, deployed)
    protected = simulate(scaled(10), workload, deployed)
    assert figures.finished == protected.finished == 10
    assert protected.killed == 0


def test_spot_hands_back_what_does_not_end_within_its_notice() -> None:
    spot = dataclasses.replace(fixed(20), spot_share=1.0)
    often = Conditions(spot_interruptions_per_hour=2.0)
    long = simulate(spot, burst(40, lambda: 900), often)
    assert long.interrupted > 0
    assert long.finished == 40
    assert long.service.spot_billed_seconds == long.service.billed_seconds
    short = simulate(spot, burst(400, lambda: 100), often)
    assert short.interrupted == 0  # 110 s are enough for each
    assert short.tasks_started > 20


def test_spot_interrupts_worker_tasks_which_run_again() -> None:
    setting = dataclasses.replace(fixed(1, workers=50), isolation=TASK, spot_share=1.0)
    figures = simulate(setting, burst(50, lambda: 1800), Conditions(spot_interruptions_per_hour=1.0))
    assert figures.interrupted > 0
    assert figures.workers.started == 50 + figures.interrupted
    assert figures.finished == 50


def test_no_more_messages_are_in_flight_than_sqs_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_IN_FLIGHT == 120_000
    monkeypatch.setattr("watchbot_cli.simulation.queue.MOST_IN_FLIGHT", 1200)
    setting, workload = fixed(3, workers=1000), burst(2500, lambda: 600)
    figures = simulate(setting, workload, CALM)
    assert (figures.held_back_at_seconds, figures.drain_seconds) == (0, 3 * 600)  # although 3,000 workers could
    (note,) = Run.of(setting, workload, CALM, Prices.read()).notes
    assert note.startswith("SQS lets no more than 120,000 messages of a queue be in flight: from 0 s on")
    assert Run.of(setting, burst(1200, lambda: 600), CALM, Prices.read()).notes == []


def test_messages_that_wait_for_their_visibility_timeout_are_in_flight() -> None:
    agenda = Agenda()
    queue = Queue(agenda, Ledger(120_001), 120_001, None)
    queue.visible.extend(range(120_001))
    for _ in range(120_000):
        queue.receive()
    assert not queue.has_room
    queue.return_after(60, 0)
    assert not queue.has_room
    agenda.run()
    assert queue.has_room
