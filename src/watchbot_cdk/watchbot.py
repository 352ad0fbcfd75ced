"""The construct."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Size
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot.contract import Description, Isolation, LogFormat
from watchbot_cdk.alarm_definitions import WatchedService
from watchbot_cdk.alarms import Alarms
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.aws_connection import AwsConnection
from watchbot_cdk.backoff import Backoff
from watchbot_cdk.capacity import Capacity
from watchbot_cdk.cluster import cluster_arn
from watchbot_cdk.description import add_description, service_name
from watchbot_cdk.encryption import allow_services
from watchbot_cdk.exit_codes import ExitCodes
from watchbot_cdk.included import Resource
from watchbot_cdk.ladder import Backlog, backlog_of
from watchbot_cdk.log_group import add_log_group, log_group_name
from watchbot_cdk.log_options import LogOptions
from watchbot_cdk.messages import add_messages
from watchbot_cdk.metric_source import MetricSource
from watchbot_cdk.monitoring import Monitoring
from watchbot_cdk.monitors import add_monitors
from watchbot_cdk.mount import Mount, connect_file_systems
from watchbot_cdk.network import add_network
from watchbot_cdk.notifications import Notifications, add_notification_topic
from watchbot_cdk.placement import Placement
from watchbot_cdk.platform import image_platform
from watchbot_cdk.process_task import add_process_task
from watchbot_cdk.progress_table import add_progress_table
from watchbot_cdk.publisher_user import add_publisher_user
from watchbot_cdk.redrive import grant_redriving
from watchbot_cdk.reduce_mode import ReduceMode
from watchbot_cdk.scalable_target import scaling_resources
from watchbot_cdk.scaling import Scaling
from watchbot_cdk.service import add_service
from watchbot_cdk.service_metrics import ServiceMetrics
from watchbot_cdk.sources import Sources
from watchbot_cdk.stacks import path_of, stack_of
from watchbot_cdk.task_definition import definition_arn
from watchbot_cdk.task_watcher import add_task_watcher
from watchbot_cdk.task_worker import add_task_worker
from watchbot_cdk.watcher_image import WatcherImage, built_watcher_image
from watchbot_cdk.webhook import Ingress, Webhook
from watchbot_cdk.webhook_api import add_webhook
from watchbot_cdk.worker_options import WorkerOptions

# Made once: each Duration takes a call to make, and one to read.
_VISIBILITY_TIMEOUT = Duration.seconds(180)
_RETENTION_PERIOD = Duration.days(4)
_LOG_RETENTION = Duration.days(14)


class Watchbot(ServiceMetrics, Sources):
    """A data-processing service: send a message, and a worker processes it at least once.

    The worker reads the message from its environment (``Message``, ``Subject``, ``MessageId`` …) and answers with its
    exit code: 0 done, 3 rejected (deleted), 4 not now (returned with back-off, no failure), 5 dead-letter at once,
    anything else failed (returned with back-off).

    :param image: the worker's container image, in any language.
    :param command: the arguments of the image's ENTRYPOINT (TASK), or the worker's whole argv (PROCESS); the image's
        own by default with Isolation.TASK, required with Isolation.PROCESS.
    :param isolation: what a message gets for itself: an ECS task of its own (TASK) or a process in a warm one
        (PROCESS). Jobs of one PROCESS task share a user, files and a role: choose TASK for code or data that you do not
        trust.
    :param environment: variables for the worker; none by default. Names that Watchbot sets itself are refused.
    :param secrets: variables for the worker from Secrets Manager or the Parameter Store; none by default.
    :param permissions: what the worker may do in AWS beside publishing to the topic, as complete statements; nothing by
        default.
    :param cpu: of the task the worker runs in, 1024 being a vCPU: one of Fargate's sizes, or on EC2 at least 128.
    :param memory_limit_mib: of the task the worker runs in: what Fargate has with this ``cpu``, or on EC2 at least 6
        MiB.
    :param memory_reservation_mib: what the worker's container reserves of its instance, less than its limit; by
        default all of ``memory_limit_mib``. For EC2.
    :param gpu_count: of the instance's GPUs, 1 to 16, for the worker alone; none by default. For EC2; no token.
    :param ephemeral_storage_gib: the task's disk, 21 to 200 GiB; 20 GiB by default. For Fargate.
    :param mounts: volumes in the worker's container; none by default. Those of the host are for EC2.
    :param privileged: give the worker root's rights on its instance. For EC2.
    :param readonly_root_filesystem: let the worker write only to volumes and, with Isolation.TASK, to a ``/tmp`` in its
        memory, with Isolation.PROCESS to ``TMPDIR``. The root of the watcher's containers is always read-only.
    :param runtime_platform: the processor that tasks run on; Linux on X86_64 by default. ARM64 is cheaper; the images
        have to be built for it, as ours is.
    :param family: the name of the worker's task definition; by default one made from the construct's path.
    :param ulimits: limits of the worker's processes, on Fargate of open files (nofile) alone; 65,535 open files by
        default.
    :param exit_codes: what the worker's exit codes mean, where None switches one off; by default ``ExitCodes(reject=3,
        noop=4, dead_letter=5)``.
    :param cluster: where tasks run; by default a cluster of the stack's own, in a VPC of public subnets.
    :param capacity: what workers run on; Fargate by default. The watchers of Isolation.TASK are on Fargate always.
        EC2 capacity needs a cluster that has instances.
    :param vpc_subnets: of the cluster's VPC, for tasks; by default private ones with a way out if there are any, else
        public ones. Workers on EC2 have the network of their instance (mode bridge) without it, awsvpc with it.
    :param security_groups: of tasks, at most 5; by default one of the service's own that lets nothing in.
    :param assign_public_ip: give tasks public addresses; by default in public subnets alone. On EC2 they never get any.
    :param placement_constraints: which EC2 instances workers may run on; any by default.
    :param placement_strategies: which of those ECS prefers, in this order; none by default.
    :param watchers: the number of watcher tasks; a ``Scaling(min=0, max=…)`` follows the backlog instead.
    :param workers: how many workers each watcher runs at once.
    :param drain: what a job gets to end when its task is stopped; 105 seconds by default with Isolation.PROCESS, 120
        with Isolation.TASK, and on Fargate never more. With PROCESS it is the time before jobs get a TERM; with TASK,
        where timeouts and Spot stop tasks and deployments do not, the time between TERM and KILL.
    :param fifo: keep the order of each message group; topic and queues are then FIFO, and so is every sender.
    :param max_receive_count: receives until a message is dead-lettered. Interruptions count too: raise it for jobs
        that outlive many deployments.
    :param visibility_timeout: how long a message stays with a watcher that gives no sign of life; 180 seconds by
        default. It is extended while the job runs and limits no job.
    :param retention_period: how long a message waits for a worker before SQS drops it; 4 days by default. Dead letters
        are kept for 14.
    :param backoff: how long failed messages stay away; by default 2, 4, 8 … seconds, at most 15 minutes.
    :param encryption_key: encrypts topic, queues, log and payloads; by default SQS, S3 and CloudWatch Logs use keys of
        their own, and SNS none.
    :param payload_bucket: where senders put payloads that are too large for SQS, with a pointer to them as the message
        (Amazon's extended client libraries do); none by default. Such a payload is the worker's message. It stays in
        the bucket: give that a lifecycle rule.
    :param delete_payloads: delete a payload once its message was processed, which needs a payload_bucket; only for
        payloads that no other queue's messages point to, as those of a topic with several subscriptions do.
    :param webhook: a public address to POST jobs to, for callers that have a key (``Webhook(api_key=True)``) or sign
        (``Webhook(hmac=Hmac.github(secret))``); none by default.
    :param publisher_user: create an IAM user who may publish to the topic, for senders outside of AWS.
    :param job_timeout: stop a job that runs longer, as failed; no limit by default, but 11 h 55 min with
        Isolation.PROCESS. With that it may be at most 11 h 50 min.
    :param start_timeout: stop a task that has not started by then, and start another; 10 minutes by default. For
        Isolation.TASK.
    :param notification_email: one address or several that hear of alarms and failed jobs, on a topic of the service's
        own, after each has confirmed; nobody by default.
    :param notification_topic: the topic to tell instead; one of the service's own by default.
    :param notify_on_each_failure: tell that topic of each job that failed, was rejected, dead-lettered or timed out. Of
        very many at once a watcher sends ten, then one a minute, and counts the rest.
    :param alarms: which alarms there are and when each goes off; by default all but those of CPU and memory. They tell
        the notification topic.
    :param log_retention: how long log lines are kept, one of CloudWatch Logs' periods; 14 days by default.
    :param log_format: the watcher's lines as text or JSON.
    :param log_message_bodies: whether the log shows what messages say, up to 2,048 characters.
    :param debug: log every message received, repeated trouble each time, and where a bug is.
    :param log_rate: what the workers of a task may log in a second; 1 MiB by default. What is over is dropped and
        counted. For Isolation.PROCESS.
    :param log_destination: where every log line is sent on to, such as a Lambda function or a stream; nowhere by
        default.
    :param dashboard: create a CloudWatch dashboard of the service.
    :param reduce: keep in a table which parts of a job are done, for workers that use ``watchbot.progress`` or
        ``watchbot-progress``; a ReduceMode says how.
    :param aws_connection: how the watcher reaches AWS: dual-stack or FIPS endpoints, a proxy, a private certificate
        authority; by default directly, at AWS's public endpoints.
    :param watcher_image: the watcher's image, or the base to build it on; by default built from this package, which
        needs Docker at deployment.

    Raises :class:`~watchbot_cdk.WatchbotArgumentError` with every argument that cannot be.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - every construct calls it so
        *,
        image: ecs.ContainerImage,
        command: Sequence[str] | None = None,
        isolation: Isolation = Isolation.TASK,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, ecs.Secret] | None = None,
        permissions: Sequence[iam.PolicyStatement] | None = None,
        cpu: float = 256,
        memory_limit_mib: float = 512,
        memory_reservation_mib: float | None = None,
        gpu_count: float | None = None,
        ephemeral_storage_gib: float | None = None,
        mounts: Sequence[Mount] | None = None,
        privileged: bool = False,
        readonly_root_filesystem: bool = False,
        runtime_platform: ecs.RuntimePlatform | None = None,
        family: str | None = None,
        ulimits: Sequence[ecs.Ulimit] | None = None,
        exit_codes: ExitCodes | None = None,
        cluster: ecs.ICluster | None = None,
        capacity: Capacity | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        assign_public_ip: bool | None = None,
        placement_constraints: Sequence[ecs.PlacementConstraint] | None = None,
        placement_strategies: Sequence[ecs.PlacementStrategy] | None = None,
        watchers: float | Scaling = 1,
        workers: float = 1,
        drain: Duration | None = None,
        fifo: bool = False,
        max_receive_count: float = 10,
        visibility_timeout: Duration | None = None,
        retention_period: Duration | None = None,
        backoff: Backoff | None = None,
        encryption_key: kms.IKey | None = None,
        payload_bucket: s3.IBucket | None = None,
        delete_payloads: bool = False,
        webhook: Webhook | None = None,
        publisher_user: bool = False,
        job_timeout: Duration | None = None,
        start_timeout: Duration | None = None,
        notification_email: str | Sequence[str] | None = None,
        notification_topic: sns.ITopic | None = None,
        notify_on_each_failure: bool = False,
        alarms: Alarms | None = None,
        log_retention: Duration | None = None,
        log_format: LogFormat = LogFormat.TEXT,
        log_message_bodies: bool = True,
        debug: bool = False,
        log_rate: Size | None = None,
        log_destination: logs.ILogSubscriptionDestination | None = None,
        dashboard: bool = True,
        reduce: bool | ReduceMode = False,
        aws_connection: AwsConnection | None = None,
        watcher_image: ecs.ContainerImage | WatcherImage | None = None,
    ) -> None:
        arguments = Arguments(
            image=image,
            command=command,
            isolation=isolation,
            environment={} if environment is None else environment,
            secrets={} if secrets is None else secrets,
            permissions=() if permissions is None else permissions,
            cpu=cpu,
            memory_limit_mib=memory_limit_mib,
            runtime_platform=runtime_platform,
            worker=WorkerOptions(
                memory_reservation_mib=memory_reservation_mib,
                gpu_count=gpu_count,
                ephemeral_storage_gib=ephemeral_storage_gib,
                mounts=() if mounts is None else mounts,
                privileged=privileged,
                readonly_root_filesystem=readonly_root_filesystem,
                family=family,
                ulimits=() if ulimits is None else ulimits,
                exit_codes=ExitCodes() if exit_codes is None else exit_codes,
                drain=drain,
            ),
            placement=Placement(
                cluster=cluster,
                capacity=Capacity.fargate() if capacity is None else capacity,
                vpc_subnets=vpc_subnets,
                security_groups=security_groups,
                assign_public_ip=assign_public_ip,
                placement_constraints=() if placement_constraints is None else placement_constraints,
                placement_strategies=() if placement_strategies is None else placement_strategies,
            ),
            watchers=watchers,
            workers=workers,
            fifo=fifo,
            max_receive_count=max_receive_count,
            visibility_timeout=_VISIBILITY_TIMEOUT if visibility_timeout is None else visibility_timeout,
            retention_period=_RETENTION_PERIOD if retention_period is None else retention_period,
            backoff=Backoff() if backoff is None else backoff,
            encryption_key=encryption_key,
            payload_bucket=payload_bucket,
            delete_payloads=delete_payloads,
            ingress=Ingress(webhook=webhook, publisher_user=publisher_user),
            job_timeout=job_timeout,
            start_timeout=start_timeout,
            notifications=Notifications(
                email=notification_email, topic=notification_topic, on_each_failure=notify_on_each_failure
            ),
            monitoring=Monitoring(alarms=Alarms() if alarms is None else alarms, dashboard=dashboard),
            log_retention=_LOG_RETENTION if log_retention is None else log_retention,
            log_format=log_format,
            log=LogOptions(message_bodies=log_message_bodies, debug=debug, rate=log_rate, destination=log_destination),
            reduce=reduce,
            aws_connection=AwsConnection() if aws_connection is None else aws_connection,
            watcher_image=watcher_image,
        )
        arguments.check(scope, id)
        super().__init__(scope, id)
        self._stack = stack_of(scope)
        if encryption_key is not None:
            allow_services(self, encryption_key)
        self._notification_topic = add_notification_topic(
            self, arguments.notifications, encryption_key, self._stack, has_alarms=arguments.monitoring.has_alarms
        )
        notifications = dataclasses.replace(arguments.notifications, topic=self._notification_topic)
        arguments = dataclasses.replace(arguments, notifications=notifications)
        self._messages = add_messages(self, arguments)
        self._log_group = add_log_group(self, arguments)
        self._network = add_network(self, arguments.placement, isolation, self._stack)
        # Paths are made of ids but for two characters, and asking for one takes two calls.
        path = self.node.path if {"/", "\n"} & set(id) else f"{path_of(scope)}/{id}"
        self._name = service_name(path, self._stack)
        self._progress_table = add_progress_table(self, arguments.reduce, encryption_key)
        arguments = dataclasses.replace(arguments, progress_table=self._progress_table)
        self._add_tasks(arguments)
        mounts = arguments.worker.mounts
        files = connect_file_systems(mounts, self._network.connections) if mounts else ()
        needs = (*self._worker_role, *files)
        self._service = add_service(self, arguments, self._network, self._watcher_task, needs)
        self._add_ingress(arguments)
        self._watch(arguments)
        self._describe(isolation)

    def _add_ingress(self, arguments: Arguments) -> None:
        ingress = arguments.ingress
        self._webhook = None
        if ingress.webhook is not None:
            self._webhook = add_webhook(self, ingress.webhook, arguments, self._messages)
        self._publisher_key = add_publisher_user(self, self.topic, self._stack) if ingress.publisher_user else None

    def _add_tasks(self, arguments: Arguments) -> None:
        image = arguments.watcher_image
        if image is None or isinstance(image, WatcherImage):
            base = None if image is None else image.base_image
            image = built_watcher_image(self._stack, image_platform(arguments.runtime_platform), base)
        match arguments.isolation:
            case Isolation.PROCESS:
                self._task = add_process_task(
                    self,
                    arguments,
                    self._messages,
                    self.cluster,
                    self._log_group,
                    image,
                    self._name,
                    self._stack,
                )
                self._watcher_task = self._task
                self._worker_role: tuple[iam.Role, ...] = ()
            case Isolation.TASK:
                self._task, worker_roles = add_task_worker(
                    self, arguments, self._messages, self._log_group, self._stack
                )
                self._worker_role = (worker_roles.task,)
                self._watcher_task = add_task_watcher(
                    self,
                    arguments,
                    self._messages,
                    self._network,
                    self._log_group,
                    self._task,
                    worker_roles,
                    image,
                    self._name,
                    self._stack,
                )

    def _watch(self, arguments: Arguments) -> None:
        self._metric_source = MetricSource(
            service=self._name,
            queue=self.queue.queue_name,
            dead_letter_queue=self.dead_letter_queue.queue_name,
            tasks=lambda: (("ClusterName", self.cluster.cluster_name), ("ServiceName", self.service.service_name)),
        )
        backlog, scaling = self._scaling(arguments)
        watched = WatchedService(source=self._metric_source, job_timeout=arguments.job_timeout, backlog=backlog)
        self._monitors = add_monitors(self, arguments.monitoring, watched, self.notification_topic, scaling)

    def _scaling(self, arguments: Arguments) -> tuple[Backlog | None, Mapping[str, Resource]]:
        scaling = arguments.watchers
        if not isinstance(scaling, Scaling):
            return None, {}
        backlog = backlog_of(scaling, arguments.workers)
        return backlog, scaling_resources(scaling, backlog, self.service, self._metric_source)

    def _describe(self, isolation: Isolation) -> None:
        description = Description(
            service=self._name,
            isolation=isolation,
            topic_arn=self._messages.topic_arn,
            queue_url=self._messages.queue_url,
            dead_letter_queue_url=self._messages.dead_letter_queue_url,
            log_group=log_group_name(self.log_group),
            cluster=cluster_arn(self.cluster),
            ecs_service=self.service.service_arn,
            task_definition=definition_arn(self._watcher_task),
            worker_task_definition=definition_arn(self._task),
            progress_table=None if self._progress_table is None else self._progress_table.table_arn,
        )
        add_description(self, description, self._stack)

    @property
    def topic(self) -> sns.Topic:
        """Where jobs are sent."""
        return self._messages.topic

    @property
    def queue(self) -> sqs.Queue:
        """Where messages wait for a worker."""
        return self._messages.queue

    @property
    def dead_letter_queue(self) -> sqs.Queue:
        """Where messages end that were received too often or dead-lettered by their worker; kept for 14 days."""
        return self._messages.dead_letter_queue

    @property
    def notification_topic(self) -> sns.ITopic:
        """What people should hear of is told here: alarms, and failed jobs with ``notify_on_each_failure``."""
        return self._notification_topic

    @property
    def log_group(self) -> logs.LogGroup:
        """Where watchers and workers write."""
        return self._log_group

    @property
    def cluster(self) -> ecs.ICluster:
        """Where tasks run."""
        return self._network.cluster

    @property
    def service(self) -> ecs.BaseService:
        """The ECS service that keeps the watchers running."""
        return self._service

    @property
    def task_definition(self) -> ecs.TaskDefinition:
        """The task the worker runs in."""
        return self._task

    @property
    def watcher_task_definition(self) -> ecs.TaskDefinition:
        """The task the watcher runs in; with Isolation.PROCESS the worker's own."""
        return self._watcher_task

    @property
    def task_role(self) -> iam.IRole:
        """What the worker may do; grant it more with any ``grant_…`` method of other constructs."""
        return self._task.task_role

    @property
    def progress_table(self) -> dynamodb.Table | None:
        """Where workers keep which parts of a job are done; None without ``reduce``."""
        return self._progress_table

    @property
    def webhook_url(self) -> str | None:
        """Where to POST jobs to; None without a webhook."""
        return None if self._webhook is None else self._webhook.url

    @property
    def webhook_key(self) -> secretsmanager.ISecret | None:
        """The secret whose text is the API key that the webhook's callers need; None where they need none."""
        return None if self._webhook is None else self._webhook.key

    @property
    def publisher_access_key(self) -> secretsmanager.ISecret | None:
        """The secret with ``AccessKeyId`` and ``SecretAccessKey`` of the publisher user; None without one."""
        return self._publisher_key

    @property
    def alarms(self) -> Mapping[str, cloudwatch.CfnAlarm]:
        """The alarms that are on, by name, such as ``Stalled``, to add actions or to make composite alarms of."""
        return self._monitors.alarms

    @property
    def dashboard(self) -> cloudwatch.CfnDashboard | None:
        """The dashboard, unless switched off."""
        return self._monitors.dashboard

    @property
    def connections(self) -> ec2.Connections:
        """The network side of the tasks, to let them in elsewhere; of their instances where they share that."""
        return self._network.connections

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let someone send jobs to the topic."""
        return self.topic.grant_publish(grantee)

    def grant_send(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let someone send jobs straight to the queue."""
        return self.queue.grant_send_messages(grantee)

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let someone look at dead letters, move them back into the queue, and delete them."""
        return grant_redriving(self._messages, grantee, self._stack)
