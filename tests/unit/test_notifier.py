"""Notifications of failed jobs, in virtual time: floods, rates, retries, drains."""

from __future__ import annotations

import asyncio
import gc
import random
import re
import weakref
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.topic import SimulatedStreams, SimulatedTopic
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import Outcome
from watchbot.failure_report import Reporter
from watchbot.message import Message
from watchbot.notice import Draining, JobFinished
from watchbot.notifier import Notifier
from watchbot.opener import EnvelopeOpener
from watchbot.result import Result
from watchbot.settlement import Return
from watchbot.sns import PublishError
from watchbot.tail import OutputTails
from watchbot.task_log import LogReadError, TaskLog
from watchbot.turns import Turns

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/cluster/0123abcd"


class Scene:
    """A notifier on a simulated topic."""

    def __init__(self, streams: SimulatedStreams | None = None, watchers: int = 1, seed: int = 1) -> None:
        self.topic = SimulatedTopic()
        self.problems: list[str] = []
        self.tails = OutputTails()
        self.opener = EnvelopeOpener()
        reporter = Reporter("app/svc", self.opener, None, log_group="group", shows_bodies=True, now=lambda: 0.0)
        task_log = None if streams is None else TaskLog(streams)
        chance = random.Random(seed)
        turns = Turns(watchers, chance)
        self.notify = Notifier(reporter, self.topic, self.tails, task_log, turns, self.problems.append, chance)

    def fail(self, number: int = 0, outcome: Outcome = Outcome.FAILED, task: str | None = None) -> None:
        message = Message(f"m-{number}", "handle", "body", {}, {}, 0)
        self.notify(JobFinished(message, Result(outcome, 1, reason="exit code 1", task=task), Return(2)))


def _play(scenario: Callable[[Scene], Awaitable[None]], *, streams: SimulatedStreams | None = None) -> Scene:
    async def play() -> Scene:
        scene = Scene(streams=streams)
        running = asyncio.create_task(scene.notify.run())
        await scenario(scene)
        running.cancel()
        return scene

    return run_virtual(play())


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_failed_job_is_told_of_and_no_other(outcome: Outcome) -> None:
    async def scenario(scene: Scene) -> None:
        scene.fail(outcome=outcome)
        await asyncio.sleep(1)

    told = {Outcome.FAILED, Outcome.REJECTED, Outcome.DEAD_LETTERED, Outcome.TIMED_OUT}
    assert len(_play(scenario).topic.sent) == (outcome in told)


def test_a_flood_is_ten_notifications_and_then_one_a_minute_with_the_count_of_the_rest() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(180_000):
            scene.fail(number)
            if number % 100 == 99:
                await asyncio.sleep(0.1)

    scene = _play(scenario)
    times = [at for at, _ in scene.topic.sent]
    assert [int(at) for at in times[:10]] == list(range(10))
    assert [round(at) - 60 in (0, 1, 60, 61) for at in times[10:]] == [True, True]
    counts = [int(count) for count in re.findall(r"And (\d+) more not sent", "".join(scene.topic.texts))]
    assert 118_000 <= sum(counts) <= 122_000
    assert len(counts) == 12


class _Watched(Message):
    """A message whose end can be seen."""

    __slots__ = ("__weakref__",)


def test_a_flood_holds_no_message_while_the_topic_hangs() -> None:
    async def scenario(scene: Scene) -> None:
        scene.topic.seconds = 10_000
        alive: list[weakref.ref[Message]] = []
        for _ in range(100):
            for number in range(1000):
                message = _Watched(f"m-{number}", "handle", "body", {}, {}, 0)
                alive.append(weakref.ref(message))
                scene.notify(JobFinished(message, Result(Outcome.FAILED), Return(2)))
            await asyncio.sleep(1)
        del message
        gc.collect()
        assert not any(reference() for reference in alive)
        assert len(asyncio.all_tasks()) <= 22

    _play(scenario)


def test_a_count_that_no_further_failure_takes_along_is_told_by_itself() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(10):
            scene.fail(number)
        await asyncio.sleep(20)
        for number in range(5):
            scene.fail(number, Outcome.TIMED_OUT if number == 4 else Outcome.FAILED)
        await asyncio.sleep(300)

    scene = _play(scenario)
    assert len(scene.topic.sent) == 11
    at, last = scene.topic.sent[-1]
    assert 120 <= at <= 126
    assert last.subject == "app/svc: 5 more failed jobs"
    assert "5 more not sent: 4 failed, 1 timed out." in last.text


def test_the_last_of_the_allowance_is_kept_for_a_job() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(10):
            scene.fail(number)
        await asyncio.sleep(20)
        for number in range(5):
            scene.fail(number)
        await asyncio.sleep(70)
        scene.fail(99)
        await asyncio.sleep(2)

    last = _play(scenario).topic.texts[-1]
    assert "m-99" in last
    assert "And 5 more not sent: 5 failed." in last


def test_what_the_topic_does_not_take_is_tried_again_with_growing_pauses() -> None:
    async def scenario(scene: Scene) -> None:
        faults = [PublishError("throttled")] * 3
        scene.topic.fault = lambda: faults.pop() if faults else None
        scene.fail()
        await asyncio.sleep(20)

    scene = _play(scenario)
    pauses = [later - earlier for earlier, later in zip(scene.topic.calls, scene.topic.calls[1:], strict=False)]
    assert [0.8 <= pause / expected <= 1 for pause, expected in zip(pauses, (1, 2, 4), strict=True)] == [True] * 3
    assert len(scene.topic.sent) == 1
    assert scene.problems == []


def test_an_outage_is_logged_once_and_its_failures_are_counted_in_the_next_notification() -> None:
    async def scenario(scene: Scene) -> None:
        scene.topic.fault = lambda: PublishError("no route")
        for number in range(3):
            scene.fail(number)
        await asyncio.sleep(60)
        assert scene.problems == ["no route"]
        # Each of them six times, and the count of the three as well.
        assert len(scene.topic.calls) <= 5 * 6
        scene.topic.fault = lambda: None
        scene.fail(4)
        await asyncio.sleep(1)
        scene.topic.fault = lambda: PublishError("no route")
        scene.fail(5)
        await asyncio.sleep(60)

    scene = _play(scenario)
    assert "3 more not sent: 3 failed." in "".join(scene.topic.texts)
    assert scene.problems == ["no route"] * 2


def test_what_is_refused_is_not_tried_again_and_logged_once() -> None:
    async def scenario(scene: Scene) -> None:
        scene.topic.fault = lambda: PublishError("not authorized", refused=True)
        for number in range(3):
            scene.fail(number)
        await asyncio.sleep(4)

    scene = _play(scenario)
    assert len(scene.topic.calls) == 3
    assert scene.problems == ["not authorized"]


def test_a_bug_in_it_reaches_nobody_and_is_logged() -> None:
    async def scenario(scene: Scene) -> None:
        async def broken(message: Message) -> None:
            raise KeyError(message.message_id)

        scene.opener.open = broken  # type: ignore[method-assign,assignment] # broken on purpose
        scene.fail()
        await asyncio.sleep(1)
        await scene.notify.finish()

    scene = _play(scenario)
    assert scene.problems == ["the watcher failed: KeyError('m-0')"]
    assert scene.topic.sent[0][1].subject == "app/svc: 1 more failed jobs"


def test_a_drain_sends_what_was_left_out_and_waits_for_no_log_and_no_turn() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(12):
            scene.fail(number, task=TASK)
        await asyncio.sleep(0.5)
        assert scene.topic.sent == []
        scene.notify(Draining("test"))
        await scene.notify.finish()
        assert asyncio.get_running_loop().time() < 1

    scene = _play(scenario, streams=SimulatedStreams([]))
    counts = map(int, re.findall(r"(\d+) more not sent", "".join(scene.topic.texts)))
    assert len(scene.topic.sent) == 2
    assert 1 + sum(counts) == 12
    assert scene.problems == []


def test_a_job_that_fails_during_a_drain_is_told_of() -> None:
    async def scenario(scene: Scene) -> None:
        scene.notify(Draining("test"))
        scene.fail(1)
        await asyncio.sleep(5)
        scene.fail(2)
        await scene.notify.finish()

    assert [f"m-{number}" in text for number, text in enumerate(_play(scenario).topic.texts, 1)] == [True, True]


@pytest.mark.parametrize("watchers", [2, 10, 40, 150])
def test_many_watchers_whose_jobs_all_fail_send_less_than_deactivates_a_mailbox(watchers: int) -> None:
    async def scenario() -> list[float]:
        scenes = [Scene(watchers=watchers, seed=number) for number in range(watchers)]
        for _ in range(60):
            for scene in scenes:
                for number in range(5):
                    scene.fail(number)
            await asyncio.sleep(5)
        return sorted(at for scene in scenes for at, _ in scene.topic.sent)

    sent = run_virtual(scenario())
    assert len(sent) >= watchers * 4
    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[10:], strict=False))


def test_a_drain_waits_five_seconds_at_most_and_says_what_is_lost() -> None:
    async def scenario(scene: Scene) -> None:
        scene.topic.seconds = 100
        for number in range(12):
            scene.fail(number)
        await scene.notify.finish()
        assert asyncio.get_running_loop().time() == 5

    (problem,) = _play(scenario).problems
    assert problem == "the watcher stops, and no notification tells of 12 failed jobs"


def test_lines_of_a_task_that_come_late_are_waited_for() -> None:
    streams = SimulatedStreams([], ["first"], ["first", "last"], ["first", "last"])

    async def scenario(scene: Scene) -> None:
        scene.fail(task=TASK)
        await asyncio.sleep(20)

    scene = _play(scenario, streams=streams)
    ((at, notification),) = scene.topic.sent
    assert 10 <= at < 11
    assert "Last lines of the worker:\n  first\n  last\n" in notification.text
    assert {stream for _, stream in streams.asked} == {"watchbot/worker/0123abcd"}


@pytest.mark.parametrize(
    ("answer", "at", "said"),
    [
        ([], 15, "(none)"),
        (LogReadError("throttled"), 15, "(they could not be read: throttled)"),
        (LogReadError("not authorized", refused=True), 1, "(they could not be read: not authorized)"),
        (KeyError("events"), 1, None),
    ],
)
def test_a_notification_is_sent_without_lines_when_there_are_none_to_be_had(
    answer: list[str] | Exception, at: float, said: str | None
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.fail(task=TASK)
        await asyncio.sleep(200)

    scene = _play(scenario, streams=SimulatedStreams(answer))
    sent_at, notification = scene.topic.sent[0]
    if said is None:
        assert notification.subject == "app/svc: 1 more failed jobs"
    else:
        assert at <= sent_at < at + 1
        assert said in notification.text


def test_no_job_waits_for_its_notification() -> None:
    """The topic hangs for hours, and a hundred jobs fail as fast as without it."""

    async def scenario(*, told: bool) -> float:
        sqs = SimulatedSqs()
        sqs.put(*["x"] * 100)
        watch = Watch(sqs, SimulatedRunner(lambda job: Work(exit_code=3)))
        if told:
            scene = Scene()
            scene.topic.seconds = 10_000
            watch.listeners.append(scene.notify)
        while len(sqs.deleted) < 100:
            await watch.after(0.1)
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario(told=True)) == run_virtual(scenario(told=False))
