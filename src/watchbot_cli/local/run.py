"""The command itself: everything put together, watched, and stopped again."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from watchbot.contract import Event
from watchbot.journal import Entry
from watchbot_cli.assembly import synthesise
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.local.dead_letters import take_dead_letters
from watchbot_cli.local.deployment import Deployed, deploy, secrets_of
from watchbot_cli.local.emulator import ACCESS_KEY_ID, SECRET, Emulator
from watchbot_cli.local.interruption import Interruption, Signals
from watchbot_cli.local.service import Service, find_services
from watchbot_cli.local.tally import Summary, Tally
from watchbot_cli.local.watcher_process import check_command, worker_environment
from watchbot_cli.local.watchers import Watchers
from watchbot_cli.output import progress, talk, write, write_json
from watchbot_cli.sending.destination import to_topic, topic_post
from watchbot_cli.sending.outgoing import Outgoing, Reader
from watchbot_cli.sending.sender import Sender

_CHECK_SECONDS = 0.3
_GROUP = "local"
"""The group of messages to a FIFO topic that have none."""


def run(*, app: str | None, service: str | None, send: str | None, until_empty: bool, as_json: bool) -> int:
    """Run the app's services here; gives the exit code. Raises :class:`CommandError`."""
    console = talk()
    try:
        signals = Signals()
        with tempfile.TemporaryDirectory(prefix="watchbot-local-") as name:
            folder = Path(name)
            assembly = synthesise(app, folder / "cdk.out")
            services = find_services(assembly, service)
            for one in services:
                _check(one)
            messages = _messages(services, send)
            home = folder / "aws"
            home.mkdir()
            with Emulator(home) as emulator:
                deployed = deploy(services, assembly, emulator)
                signals.only_count()
                session = _Session(emulator, deployed, console, signals)
                return session.work(messages, until_empty=until_empty, as_json=as_json)
    except Interruption:
        raise CommandError("interrupted before the watchers ran") from None
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"the embedded AWS refused: {error}") from error


def _check(service: Service) -> None:
    secrets_of(service)
    if isinstance(service.command[0], str):
        plain = {name: value for name, value in service.environment.items() if isinstance(value, str)}
        command = [str(part) for part in service.command]
        check_command(service.name, command, service.directory, worker_environment(plain, {}))


def _messages(services: Sequence[Service], send: str | None) -> list[Outgoing]:
    if send is None:
        return []
    if len(services) > 1:
        names = ", ".join(service.name for service in services)
        raise UsageError(f"--send needs --service, because the app holds several: {names}")
    fifo = services[0].fifo
    return Reader(to_topic(fifo=fifo), {"MessageGroupId": _GROUP} if fifo else {}).lines(send, "--send")


class _Session:
    """The services of a run, from the first watcher to the last."""

    def __init__(self, emulator: Emulator, deployed: Sequence[Deployed], console: Console, signals: Signals) -> None:
        self._emulator = emulator
        self._deployed = deployed
        self._console = console
        self._signals = signals
        self._sqs = emulator.client("sqs")
        self._tally = Tally()
        self._quiet = False
        self._sent = 0

    def work(self, messages: list[Outgoing], *, until_empty: bool, as_json: bool) -> int:
        self._quiet = until_empty
        watchers = Watchers(self._tally, self._show)
        interrupted = False
        with watchers.running(self._deployed, self._emulator.environment()):
            if not until_empty:
                self._introduce()
            try:
                self._send(messages)
                self._watch(watchers, until_empty=until_empty)
            except Interruption:
                interrupted = True
            watchers.stop(lambda: self._signals.count > 1)
        letters = [
            letter
            for service in self._deployed
            for letter in take_dead_letters(self._sqs, service.name, service.dead_letter_queue_url)
        ]
        summary = self._tally.summary(self._sent, letters)
        _print(summary, as_json=as_json)
        if interrupted and until_empty:
            raise CommandError("interrupted before the queue had drained")
        return 1 if summary.dead_lettered else 0

    def _introduce(self) -> None:
        endpoint = self._emulator.endpoint_url
        key = f"AWS_ACCESS_KEY_ID={ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY={SECRET}"
        for service in self._deployed:
            order = " --message-group-id g --message-deduplication-id 1" if service.topic_arn.endswith(".fifo") else ""
            self._console.print(f"{service.name} is running; send it a message with")
            self._console.print(
                f"  {key} aws --region us-east-1 --endpoint-url {endpoint} sns publish "
                f"--topic-arn {service.topic_arn} --message hello{order}"
            )
        self._console.print("Ctrl-C stops it")

    def _send(self, messages: list[Outgoing]) -> None:
        if not messages:
            return
        with progress(self._console) as bars:
            bar = bars.add_task("sending", total=len(messages))

            def sent(count: int) -> None:
                self._sent += count
                bars.advance(bar, count)
                self._signals.check()

            topic_arn = self._deployed[0].topic_arn
            post = topic_post(self._emulator.client("sns"), topic_arn)
            sender = Sender(to_topic(fifo=topic_arn.endswith(".fifo")), post, sent)
            sender.send(messages)
        for why in sender.refused.values():
            raise CommandError(f"SNS took {self._sent} messages and refused {len(sender.refused)}: {why}")

    def _watch(self, watchers: Watchers, *, until_empty: bool) -> None:
        """Count what the watchers say, until a signal comes or, if asked to, until every queue is empty."""
        empty_checks, checked_at = 0, 0.0
        with progress(self._console) as bars:
            bar = bars.add_task("processing", total=self._sent or None, visible=until_empty)
            while empty_checks < 2:
                self._signals.check()
                self._emulator.check()
                watchers.hear(0.1)
                bars.update(bar, completed=self._tally.removed)
                if not until_empty:
                    continue
                if self._tally.start_failure is not None:
                    raise CommandError(f"workers cannot be started: {self._tally.start_failure}")
                if time.monotonic() - checked_at >= _CHECK_SECONDS and not self._tally.running:
                    checked_at = time.monotonic()
                    empty_checks = empty_checks + 1 if self._is_empty() else 0

    def _is_empty(self) -> bool:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        for service in self._deployed:
            answer = self._sqs.get_queue_attributes(QueueUrl=service.queue_url, AttributeNames=names)
            if any(int(value) for value in answer["Attributes"].values()):
                return False
        return True

    def _show(self, line: str, entry: Entry | None) -> None:
        """Write a line; with a summary to come, not those that it will count."""
        if entry is None and line.startswith('{"_aws"'):
            return  # metrics, which CloudWatch reads out of the log in AWS
        routine = entry is not None and (
            entry.event in (Event.JOB_STARTED, Event.WATCHER_STARTED, Event.WATCHER_DRAINING, Event.WATCHER_STOPPED)
            or (entry.event == Event.JOB_FINISHED and entry.fields.get("settlement") != "dead_lettered")
        )
        if not (self._quiet and routine):
            self._console.print(line)


def _print(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        write_json(dataclasses.asdict(summary))
        return
    lines = [
        f"sent           {summary.sent}",
        f"succeeded      {summary.succeeded}",
        f"failed runs    {summary.failed}",
        f"retried runs   {summary.retried}",
        f"dead-lettered  {summary.dead_lettered}",
        f"messages/s     {summary.messages_per_second:g}",
        f"job p50 / p95  {summary.job_p50_seconds:g} s / {summary.job_p95_seconds:g} s",
        *(f"dead letter {one['message_id']}: {one['reason']}: {one['message']}" for one in summary.dead_letters),
    ]
    write("\n".join(lines))
