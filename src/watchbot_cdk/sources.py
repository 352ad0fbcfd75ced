"""Who sends jobs to a service, beside those who publish to its topic."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot_cdk.arguments import WatchbotArgumentError
from watchbot_cdk.event_rule import add_event_rule, event_target, group_problems, pattern_problems
from watchbot_cdk.queue_policy import full_policy_problems
from watchbot_cdk.s3_event import S3Event, enable_events, s3_event_problems, s3_pattern
from watchbot_cdk.schedule import add_schedule, schedule_problems
from watchbot_cdk.subscription import add_subscription, subscription_problems


class Sources(Construct):
    """What a Watchbot's jobs can come from; each method raises :class:`~watchbot_cdk.WatchbotArgumentError`."""

    @property
    @abstractmethod
    def queue(self) -> sqs.Queue:
        """Where messages wait for a worker."""

    @property
    @abstractmethod
    def dead_letter_queue(self) -> sqs.Queue:
        """Where messages end that nobody could work on."""

    def subscribe_to(
        self,
        topic: sns.ITopic,
        *,
        filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None,
        filter_policy_with_message_body: Mapping[str, sns.FilterOrPolicy] | None = None,
    ) -> sns.Subscription:
        """Work on the messages of somebody's topic, too, which may be in another account or region.

        :param topic: FIFO if the service is. The owner of another account's topic has to allow the subscription.
        :param filter_policy: which messages, by their attributes; all by default.
        :param filter_policy_with_message_body: which messages, by their body, which then has to be JSON.
        """
        self._refuse(
            "subscribe_to",
            subscription_problems(self.queue, topic, filter_policy, filter_policy_with_message_body),
            full_policy_problems(self.queue),
        )
        return add_subscription(self, self.queue, topic, filter_policy, filter_policy_with_message_body)

    def on_event(
        self,
        pattern: events.EventPattern,
        event_bus: events.IEventBus | None = None,
        *,
        message_group_id: str | None = None,
    ) -> events.Rule:
        """Work on events of EventBridge: the worker's ``Message`` is the event.

        :param pattern: which events.
        :param event_bus: of this bus; the account's default one by default.
        :param message_group_id: the group of all of them, required with ``fifo``.
        """
        self._refuse("on_event", pattern_problems(pattern, event_bus), self._target_problems(message_group_id))
        return add_event_rule(self, "Event", self._target(message_group_id), pattern, event_bus)

    def on_s3_event(
        self,
        bucket: s3.IBucket,
        events: Sequence[S3Event] = (S3Event.OBJECT_CREATED,),
        *,
        prefix: str | None = None,
        suffix: str | None = None,
        message_group_id: str | None = None,
    ) -> events.Rule:
        """Work on what happens to the objects of a bucket: the worker's ``Message`` is EventBridge's event of it.

        :param bucket: a bucket of this app is told to send events; the owner of any other has to turn that on.
        :param events: what has to happen; by default an object is created or overwritten.
        :param prefix: what the object's key has to begin with.
        :param suffix: what it has to end with.
        :param message_group_id: the group of all of these events, required with ``fifo``.
        """
        self._refuse(
            "on_s3_event",
            s3_event_problems(self, bucket, events, prefix, suffix),
            self._target_problems(message_group_id),
        )
        enable_events(self, bucket)
        pattern = s3_pattern(bucket, events, prefix, suffix)
        return add_event_rule(self, "S3Event", self._target(message_group_id), pattern)

    def on_schedule(
        self,
        schedule: scheduler.ScheduleExpression,
        message: str | None = None,
        *,
        message_group_id: str | None = None,
    ) -> scheduler.Schedule:
        """Work on a message at certain times.

        :param schedule: when, with a time zone if it is not to be UTC.
        :param message: the worker's ``Message``, at most 256 KiB, in which EventBridge Scheduler replaces its context
            attributes, such as ``<aws.scheduler.scheduled-time>``; by default JSON with ``schedule`` and ``time``.
        :param message_group_id: its group, required with ``fifo``.
        """
        self._refuse(
            "on_schedule",
            schedule_problems(self.queue, schedule, message, message_group_id),
            group_problems(self.queue, message_group_id),
        )
        return add_schedule(self, self.queue, schedule, message, message_group_id)

    def event_target(self, *, message_group_id: str | None = None) -> targets.SqsQueue:
        """Make a target for rules of your own, in the same stack: ``rule.add_target(svc.event_target())``.

        :param message_group_id: the group of their events, required with ``fifo``.
        """
        self._refuse("event_target", self._target_problems(message_group_id))
        return self._target(message_group_id)

    def _target(self, message_group_id: str | None) -> targets.SqsQueue:
        return event_target(self.queue, self.dead_letter_queue, message_group_id)

    def _target_problems(self, message_group_id: object) -> Iterable[str]:
        yield from group_problems(self.queue, message_group_id)
        yield from full_policy_problems(self.queue)

    def _refuse(self, method: str, *kinds: Iterable[str]) -> None:
        problems = [f"{method}: {problem}" for kind in kinds for problem in kind]
        if problems:
            raise WatchbotArgumentError(self.node.path, problems)
