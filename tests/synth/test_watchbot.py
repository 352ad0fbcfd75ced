from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager

from tests.synth.template import IMAGE, Template, image, placeholders, synth, synth_watchbot, watcher_settings
from watchbot.contract import Description, Isolation, LaunchType, LogFormat
from watchbot_cdk import Backoff, Watchbot


@pytest.fixture(scope="module")
def task() -> Template:
    """The least a user can write."""
    return synth_watchbot()


@pytest.fixture(scope="module")
def process() -> Template:
    """The other isolation, with everything said."""

    def build(stack: Stack) -> None:
        secret = secretsmanager.Secret.from_secret_name_v2(stack, "Secret", "secret")
        Watchbot(
            stack,
            "svc",
            image=image(),
            isolation=Isolation.PROCESS,
            command=["python", "work.py"],
            environment={"MODE": "fast", "AWS_PROFILE": "theirs", "https_proxy": "http://proxy"},
            secrets={
                "TOKEN": ecs.Secret.from_secrets_manager(secret),
                "AWS_KEY": ecs.Secret.from_secrets_manager(secret),
            },
            permissions=[iam.PolicyStatement(actions=["s3:GetObject"], resources=["arn:aws:s3:::bucket/*"])],
            cpu=1024,
            memory_limit_mib=2048,
            watchers=3,
            workers=8,
            max_receive_count=4,
            visibility_timeout=Duration.minutes(1),
            retention_period=Duration.days(2),
            backoff=Backoff(base=3, cap=Duration.minutes(5), jitter=0.5),
            job_timeout=Duration.minutes(10),
            log_retention=Duration.days(30),
            log_format=LogFormat.JSON,
        )

    return synth(build)


def _description(template: Template) -> Description:
    (output,) = template.outputs.values()
    return Description.from_json(placeholders(output["Value"]))


def test_a_message_sent_to_the_topic_waits_in_the_queue_in_its_envelope(task: Template) -> None:
    subscription = task.one("AWS::SNS::Subscription")
    assert subscription["Protocol"] == "sqs"
    assert "RawMessageDelivery" not in subscription


def test_failed_messages_end_in_the_dead_letter_queue(task: Template) -> None:
    queue = task.one("AWS::SQS::Queue", "svcQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 10
    assert queue["VisibilityTimeout"] == 180
    assert queue["MessageRetentionPeriod"] == 4 * 86_400
    assert queue["MaximumMessageSize"] == 1_048_576
    assert task.one("AWS::SQS::Queue", "svcDeadLetterQueue")["MessageRetentionPeriod"] == 14 * 86_400


def test_queues_are_encrypted_and_reached_over_tls_only(task: Template) -> None:
    assert all(queue["SqsManagedSseEnabled"] for queue in task.of_type("AWS::SQS::Queue").values())
    policies = [*task.of_type("AWS::SQS::QueuePolicy").values(), *task.of_type("AWS::SNS::TopicPolicy").values()]
    assert len(policies) == 4
    for policy in policies:
        effects = [
            (statement["Effect"], statement.get("Condition")) for statement in policy["PolicyDocument"]["Statement"]
        ]
        assert ("Deny", {"Bool": {"aws:SecureTransport": "false"}}) in effects


def test_the_workers_image_runs_untouched(task: Template) -> None:
    worker = task.container("worker")
    assert worker["Image"] == IMAGE
    assert not {"Command", "EntryPoint", "Environment", "User", "ReadonlyRootFilesystem"} & worker.keys()
    definition = task.one("AWS::ECS::TaskDefinition", "WorkerTask")
    assert [container["Essential"] for container in definition["ContainerDefinitions"]] == [True]


def test_the_watcher_has_a_read_only_root_and_time_to_drain(task: Template) -> None:
    watcher = task.container("watcher")
    assert watcher["ReadonlyRootFilesystem"] is True
    assert watcher["StopTimeout"] == 120
    assert watcher["Command"] == ["listen"]


def test_the_watcher_reads_what_the_construct_wrote(task: Template, process: Template) -> None:
    settings = watcher_settings(task, "watcher")
    assert settings.isolation is Isolation.TASK
    assert (settings.workers, settings.max_receive_count, settings.visibility_timeout_seconds) == (1, 10, 180)
    assert settings.task_public_ip
    assert len(settings.task_subnets) == 2
    assert len(settings.task_security_groups) == 1
    assert (settings.watchers, settings.start_timeout_seconds) == (1, 600)
    assert (settings.task_launch_type, settings.task_capacity) == (LaunchType.FARGATE, ())
    assert (settings.task_placement_constraints, settings.task_placement_strategies) == ((), ())
    settings = watcher_settings(process, "worker")
    assert settings.isolation is Isolation.PROCESS
    assert (settings.workers, settings.max_receive_count, settings.visibility_timeout_seconds) == (8, 4, 60)
    assert (settings.backoff_base, settings.backoff_cap_seconds, settings.backoff_jitter) == (3, 300, 0.5)
    assert (settings.job_timeout_seconds, settings.log_format) == (600, LogFormat.JSON)


def test_one_output_describes_the_service_and_is_no_export(task: Template, process: Template) -> None:
    ((name, output),) = task.outputs.items()
    assert name.startswith("Demosvc")
    assert name.endswith("Watchbot")
    assert "Export" not in output
    described = _description(task)
    assert described.isolation is Isolation.TASK
    assert described.service == watcher_settings(task, "watcher").service == "Demo/svc"
    assert described.task_definition != described.worker_task_definition
    described = _description(process)
    assert described.isolation is Isolation.PROCESS
    assert described.task_definition == described.worker_task_definition


def test_the_same_app_under_two_stack_names_is_two_services() -> None:
    names = set()
    for stack_name in ("production", "trial"):
        app = App()
        stack = Stack(app, "Demo", stack_name=stack_name)
        Watchbot(NestedStack(stack, "Inner"), "svc", image=image())
        (output,) = app.synth().get_stack_by_name(stack_name).template["Outputs"].values()
        names.add(Description.from_json(placeholders(output["Value"])).service)
    assert names == {"production/Inner/svc", "trial/Inner/svc"}


def test_a_process_service_starts_the_watcher_inside_the_users_image(process: Template) -> None:
    worker, install = process.container("worker"), process.container("watchbot-install")
    assert worker["Image"] == IMAGE
    assert worker["EntryPoint"] == [
        "/opt/watchbot/bin/hold-signals",
        "/opt/watchbot/bin/busybox",
        "sh",
        "/opt/watchbot/start",
        "listen",
        "--",
    ]
    assert worker["Command"] == ["python", "work.py"]
    assert worker["StopTimeout"] == 120
    assert worker["LinuxParameters"]["InitProcessEnabled"] is True
    assert worker["DependsOn"] == [{"Condition": "SUCCESS", "ContainerName": "watchbot-install"}]
    assert install["Command"] == ["install", "/opt/watchbot", "--scratch", "/var/watchbot"]
    assert (install["User"], install["Essential"], install["ReadonlyRootFilesystem"]) == ("0", False, True)
    mounts = {mount["ContainerPath"]: (mount["SourceVolume"], mount["ReadOnly"]) for mount in worker["MountPoints"]}
    assert mounts == {"/opt/watchbot": ("watchbot-runtime", True), "/var/watchbot": ("watchbot-scratch", False)}
    assert [mount["ReadOnly"] for mount in install["MountPoints"]] == [False, False]


def test_variables_that_would_steer_the_watcher_travel_under_another_name(process: Template) -> None:
    environment = process.environment("worker")
    assert environment["MODE"] == "fast"
    assert environment["WATCHBOT_WORKER_ENV_AWS_PROFILE"] == "theirs"
    assert environment["WATCHBOT_WORKER_ENV_https_proxy"] == "http://proxy"
    assert not {"AWS_PROFILE", "https_proxy"} & environment.keys()
    secrets = [secret["Name"] for secret in process.container("worker")["Secrets"]]
    assert sorted(secrets) == ["TOKEN", "WATCHBOT_WORKER_ENV_AWS_KEY"]


def test_log_lines_hold_no_container_up(task: Template, process: Template) -> None:
    for container in (task.container("worker"), task.container("watcher"), process.container("worker")):
        options = container["LogConfiguration"]["Options"]
        assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", "26214400b")


def test_log_lines_are_kept_for_two_weeks_or_as_long_as_asked(task: Template, process: Template) -> None:
    assert task.one("AWS::Logs::LogGroup", "svcLogGroup")["RetentionInDays"] == 14
    assert process.one("AWS::Logs::LogGroup", "svcLogGroup")["RetentionInDays"] == 30


def test_the_number_of_watchers_is_the_desired_count(task: Template, process: Template) -> None:
    assert task.one("AWS::ECS::Service")["DesiredCount"] == 1
    assert process.one("AWS::ECS::Service")["DesiredCount"] == 3


def _rights(template: Template, role_part: str) -> dict[str, list[str]]:
    rights: dict[str, list[str]] = {}
    for statement in template.statements(role_part):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for action in actions:
            rights.setdefault(action, []).extend(placeholders(resource) for resource in resources)
    return rights


def test_the_watcher_may_do_exactly_what_it_does(task: Template) -> None:
    rights = _rights(task, "WatcherTaskTaskRole")
    assert set(rights) == {
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:SendMessage",
        "ecs:RunTask",
        "ecs:TagResource",
        "ecs:DescribeTasks",
        "ecs:StopTask",
        "ecs:ListTasks",
        "iam:PassRole",
        "s3:PutObject",
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:ListBucket",
    }
    objects = rights["s3:PutObject"]
    assert rights["s3:GetObject"] == rights["s3:DeleteObject"] == objects
    assert len(objects) == len(rights["s3:ListBucket"]) == 1
    assert objects == [rights["s3:ListBucket"][0] + "/*"]
    assert "svcPayloadBucket" in objects[0]
    assert [action for action, resources in rights.items() if "*" in resources] == ["ecs:ListTasks"]
    assert "svcQueue" in rights["sqs:ReceiveMessage"][0]
    assert "svcDeadLetterQueue" in rights["sqs:SendMessage"][0]
    assert ":task-definition/DemosvcWorkerTask" in rights["ecs:RunTask"][0]
    assert rights["ecs:RunTask"][0].endswith(":*")
    assert len(rights["iam:PassRole"]) == 2
    for statement in task.statements("WatcherTaskTaskRole"):
        if statement["Action"] == "ecs:TagResource":
            assert statement["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
        elif "ecs:" in str(statement["Action"]):
            assert "ecs:cluster" in statement["Condition"]["ArnEquals"]


def test_the_worker_may_publish_and_what_it_was_given(task: Template, process: Template) -> None:
    assert set(_rights(task, "WorkerTaskTaskRole")) == {"sns:Publish"}
    assert set(_rights(process, "svcTaskTaskRole")) == {
        "sqs:ReceiveMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:SendMessage",
        "ecs:UpdateTaskProtection",
        "sns:Publish",
        "s3:GetObject",
    }


def _two(stack: Stack) -> None:
    Watchbot(stack, "one", image=image())
    Watchbot(stack, "two", image=image(), isolation=Isolation.PROCESS, command=["true"])


def _fifo(stack: Stack) -> None:
    Watchbot(stack, "svc", image=image(), fifo=True)


def _nested(stack: Stack) -> None:
    Watchbot(NestedStack(stack, "Nested"), "svc", image=image())


@pytest.mark.parametrize("build", [_two, _fifo, _nested])
@pytest.mark.parametrize("environment", [None, Environment(account="123456789012", region="eu-west-1")])
def test_no_template_holds_a_function_an_export_or_a_nat_gateway(
    build: Callable[[Stack], None], environment: Environment | None
) -> None:
    template = synth(build, environment=environment)
    kinds = {resource["Type"] for resource in template.resources.values()}
    assert not kinds & {"AWS::Lambda::Function", "AWS::EC2::NatGateway"}
    assert not any(kind.startswith("Custom::") for kind in kinds)
    assert not any("Export" in output for output in template.outputs.values())


def test_two_in_a_stack_share_the_cluster_and_the_watcher_image() -> None:
    template = synth(_two)
    assert len(template.of_type("AWS::ECS::Cluster")) == 1
    assert len(template.of_type("AWS::EC2::VPC")) == 1
    assert len(template.of_type("AWS::ECS::Service")) == 2
    assert [name[:7] for name in sorted(template.outputs)] == ["Demoone", "Demotwo"]
    images = {placeholders(template.container(name)["Image"]) for name in ("watcher", "watchbot-install")}
    assert len(images) == 1


def test_a_fifo_watchbot_is_fifo_from_topic_to_dead_letters() -> None:
    template = synth(_fifo)
    topic = template.one("AWS::SNS::Topic", "svcTopic")
    assert (topic["FifoTopic"], topic["ContentBasedDeduplication"]) == (True, True)
    assert all(queue["FifoQueue"] for queue in template.of_type("AWS::SQS::Queue").values())


def test_a_nested_watchbot_is_described_by_the_outermost_stack() -> None:
    assert [name[:13] for name in synth(_nested).outputs] == ["DemoNestedsvc"]


def test_the_default_network_lets_nothing_in_and_costs_no_gateway(task: Template) -> None:
    assert "SecurityGroupIngress" not in task.one("AWS::EC2::SecurityGroup", "svcSecurityGroup")
    network = task.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "ENABLED"
    assert len(task.of_type("AWS::EC2::Subnet")) == 2


def test_a_given_cluster_is_used_through_its_private_subnets() -> None:
    def build(stack: Stack) -> None:
        cluster = ecs.Cluster(stack, "Mine", vpc=ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=1))
        Watchbot(stack, "svc", image=image(), cluster=cluster)

    template = synth(build)
    assert len(template.of_type("AWS::ECS::Cluster")) == 1
    network = template.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    assert "Private" in network["Subnets"][0]["Ref"]
    assert not watcher_settings(template, "watcher").task_public_ip


def test_others_are_granted_to_send() -> None:
    def build(stack: Stack) -> None:
        svc = Watchbot(stack, "svc", image=image())
        role = iam.Role(stack, "Sender", assumed_by=iam.AccountRootPrincipal())
        svc.grant_publish(role)
        svc.grant_send(role)

    assert {"sns:Publish", "sqs:SendMessage"} <= set(_rights(synth(build), "Sender"))


IDS = {
    "AWS::ECS::Cluster": "WatchbotCluster",
    "AWS::ECS::Service": "svcService",
    "AWS::EC2::VPC": "WatchbotVpc",
}


@pytest.mark.parametrize(("kind", "prefix"), IDS.items())
def test_construct_ids_are_contract(task: Template, kind: str, prefix: str) -> None:
    (name,) = task.of_type(kind)
    assert name.startswith(prefix)


def test_ids_of_topics_are_contract(task: Template) -> None:
    assert {name[:-8] for name in task.of_type("AWS::SNS::Topic")} == {"svcTopic", "svcNotificationTopic"}


def test_ids_of_queues_tasks_and_logs_are_contract(task: Template, process: Template) -> None:
    def prefixes(template: Template, kind: str) -> set[str]:
        return {name[:-8] for name in template.of_type(kind)}

    assert prefixes(task, "AWS::SQS::Queue") == {"svcQueue", "svcDeadLetterQueue"}
    assert prefixes(task, "AWS::ECS::TaskDefinition") == {"svcWorkerTask", "svcWatcherTask"}
    assert prefixes(process, "AWS::ECS::TaskDefinition") == {"svcTask"}
    assert prefixes(task, "AWS::SNS::Topic") == {"svcTopic", "svcNotificationTopic"}
    assert prefixes(task, "AWS::CloudWatch::Dashboard") == {"svcMonitorsDashboard"}
    assert prefixes(task, "AWS::S3::Bucket") == {"svcPayloadBucket"}
    assert prefixes(task, "AWS::Logs::LogGroup") == {"svcLogGroup", "WatchbotFlowLogs"}


def test_attributes_are_the_parts_themselves() -> None:
    def build(stack: Stack) -> None:
        svc: Any = Watchbot(stack, "svc", image=image())
        assert svc.queue.node.path == "Demo/svc/Queue"
        assert svc.watcher_task_definition.node.path == "Demo/svc/WatcherTask"
        assert svc.task_definition.node.path == "Demo/svc/WorkerTask"
        assert svc.task_role.node.path == "Demo/svc/WorkerTaskTaskRole"
        assert svc.cluster.node.path == "Demo/WatchbotCluster"
        assert svc.connections.security_groups[0].node.path == "Demo/svc/SecurityGroup"

    synth(build)
