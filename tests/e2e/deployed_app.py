"""The app that test_deployment.py deploys: one Watchbot whose every message is a container of its own."""

from __future__ import annotations

import os

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from watchbot_cdk import Alarms, Backoff, Watchbot

WORKER = r"""
echo "worker of $MessageId, receive $ApproximateReceiveCount"
if test -n "$MessageUrl"; then
  /bin/busybox wget -q -O /tmp/message "$MessageUrl" && echo "by URL"
else
  printf %s "$Message" >/tmp/message
fi
/bin/busybox md5sum </tmp/message
case "$Message" in
  exit*) exit "${Message#exit}" ;;
  once*) test "$ApproximateReceiveCount" != 1 || exit "${Message#once}" ;;
  killed) test "$ApproximateReceiveCount" != 1 || /bin/busybox sleep 300 ;;
  long) /bin/busybox sleep 30 ;;
  brief*) /bin/busybox sleep 3 ;;
esac
"""

app = App()
environment = Environment(account=os.environ["CDK_DEFAULT_ACCOUNT"], region=os.environ["CDK_DEFAULT_REGION"])
stack = Stack(app, "Deployed", env=environment)
# The default network has a flow log, which the embedded AWS does not know.
vpc = ec2.Vpc(
    stack,
    "Vpc",
    availability_zones=[f"{environment.region}a"],
    nat_gateways=0,
    restrict_default_security_group=False,
    subnet_configuration=[ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC)],
)
watchbot = Watchbot(
    stack,
    "svc",
    image=ecs.ContainerImage.from_registry("watchbot-e2e-worker"),
    command=["/bin/busybox", "sh", "-c", WORKER],
    watcher_image=ecs.ContainerImage.from_registry("watchbot-e2e-watcher"),
    cluster=ecs.Cluster(stack, "Cluster", vpc=vpc),
    workers=8,
    backoff=Backoff(base=1),
    visibility_timeout=Duration.seconds(12),
    # The embedded AWS has no alarms on metric math.
    alarms=Alarms(more_dead_letters=None, worker_error_rate=None, stalled=None),
)
watcher = watchbot.watcher_task_definition.default_container
assert watcher is not None
watcher.add_environment("WATCHBOT_ENDPOINT_URL", os.environ["E2E_ENDPOINT_URL"])
watcher.add_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", os.environ["E2E_CREDENTIALS"])
app.synth()
