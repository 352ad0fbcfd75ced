"""What people watch a service by: its alarms and its dashboard."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from watchbot_cdk.alarm_definitions import WatchedService
from watchbot_cdk.dashboard import dashboard_resource
from watchbot_cdk.included import Included, Resource, include
from watchbot_cdk.monitoring import Monitoring
from watchbot_cdk.service_alarms import alarm_resources

_DASHBOARD = "Dashboard"


@dataclasses.dataclass(frozen=True)
class Monitors:
    """The alarms that are on, by name, and the dashboard."""

    alarms: Mapping[str, cloudwatch.CfnAlarm]
    dashboards: Mapping[str, cloudwatch.CfnDashboard]

    @property
    def dashboard(self) -> cloudwatch.CfnDashboard | None:
        """The dashboard, unless switched off."""
        return self.dashboards[_DASHBOARD] if self.dashboards else None


def add_monitors(
    scope: Construct,
    monitoring: Monitoring,
    service: WatchedService,
    topic: sns.ITopic,
    scaling: Mapping[str, Resource],
) -> Monitors:
    """Create alarms, each of which tells the topic, and dashboard, as far as they were asked for.

    What scales the service is created with them, since it watches the same.
    """
    alarms = alarm_resources(monitoring.alarms, service, topic)
    ids = {name: f"{name}Alarm" for name in alarms}
    resources = {**scaling, **{ids[name]: alarm for name, alarm in alarms.items()}}
    if monitoring.dashboard:
        most = None if service.backlog is None else service.backlog.most_watchers
        resources[_DASHBOARD] = dashboard_resource(service.source, most)
    included = include(scope, "Monitors", resources) if resources else None
    dashboards = {_DASHBOARD: _DASHBOARD} if monitoring.dashboard else {}
    return Monitors(Included(included, ids), Included(included, dashboards))
