"""For how long CloudWatch Logs can be told to keep log lines."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_logs as logs

from watchbot_cdk.problems import in_seconds, is_token

_DAY_SECONDS = 86_400
_NAMES = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    120: "FOUR_MONTHS",
    150: "FIVE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    400: "THIRTEEN_MONTHS",
    545: "EIGHTEEN_MONTHS",
    731: "TWO_YEARS",
    1096: "THREE_YEARS",
    1827: "FIVE_YEARS",
    2192: "SIX_YEARS",
    2557: "SEVEN_YEARS",
    2922: "EIGHT_YEARS",
    3288: "NINE_YEARS",
    3653: "TEN_YEARS",
}
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html."""


def retention_days_problem(period: Duration) -> str | None:
    """Say what is wrong with this retention; None when CloudWatch Logs knows it."""
    if is_token(period):
        return "log_retention must be known at synthesis, got a value known only at deployment"
    days = in_seconds(period) / _DAY_SECONDS
    if days in _NAMES:
        return None
    return f"log_retention must be one of {', '.join(map(str, _NAMES))} days, got {days:g}"


def retention_days(period: Duration) -> logs.RetentionDays:
    """Give the retention as CDK names it, for a period without a problem."""
    return logs.RetentionDays[_NAMES[int(in_seconds(period) / _DAY_SECONDS)]]
