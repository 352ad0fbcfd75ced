"""Reduce mode: a table that workers find and may count in."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from tests.synth.template import Template, image, synth, synth_watchbot
from watchbot.contract import Isolation
from watchbot_cdk import ReduceMode, Watchbot
from watchbot_cli.described import Described, find_described

ISOLATIONS = pytest.mark.parametrize(
    "isolation", [{}, {"isolation": Isolation.PROCESS, "command": ["work"]}], ids=["task", "process"]
)
TABLE = "AWS::DynamoDB::Table"


def _named(template: Template) -> dict[str, Any]:
    (name,) = template.of_type(TABLE)
    return {"Fn::GetAtt": [name, "Arn"]}


def _described(template: Template) -> list[Described]:
    return find_described({"Stack": template.whole})


@ISOLATIONS
def test_a_worker_is_told_the_table_and_may_count_in_it_and_in_no_other(isolation: dict[str, Any]) -> None:
    template = synth_watchbot(reduce=True, **isolation)
    watcher = template.environment("worker" if isolation else "watcher")
    assert watcher["WATCHBOT_PROGRESS_TABLE"] == _named(template)
    (counting,) = [
        statement
        for statement in template.statements("TaskRole")
        if any(action.startswith("dynamodb:") for action in statement["Action"])
    ]
    assert counting["Resource"] == _named(template)
    assert sorted(counting["Action"]) == [
        f"dynamodb:{action}"
        for action in ("BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Scan", "UpdateItem")
    ]


def test_the_stacks_output_names_the_table_for_its_operators() -> None:
    template = synth_watchbot(reduce=True)
    (description,) = _described(template)
    assert description.intrinsic(description.description.progress_table or "") == _named(template)
    (without,) = _described(synth_watchbot())
    assert without.description.progress_table is None


def test_the_table_is_billed_by_request_forgets_old_jobs_and_goes_with_the_stack() -> None:
    template = synth_watchbot(reduce=True)
    table = template.one(TABLE)
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert "SSESpecification" not in table
    assert "PointInTimeRecoverySpecification" not in table
    assert "TableName" not in table
    (resource,) = [one for one in template.resources.values() if one["Type"] == TABLE]
    assert resource["DeletionPolicy"] == "Delete"


def test_it_can_be_recovered_if_asked_for() -> None:
    table = synth_watchbot(reduce=ReduceMode(point_in_time_recovery=True)).one(TABLE)
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@ISOLATIONS
def test_under_a_key_of_the_users_the_worker_may_use_that_too(isolation: dict[str, Any]) -> None:
    def build(stack: Stack) -> None:
        Watchbot(stack, "svc", image=image(), reduce=True, encryption_key=kms.Key(stack, "Key"), **isolation)

    template = synth(build)
    table = template.one(TABLE)
    (key,) = template.of_type("AWS::KMS::Key")
    assert table["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    actions = {action for one in template.statements("TaskRole") for action in one["Action"]}
    assert {"kms:Encrypt", "kms:ReEncryptFrom", "kms:DescribeKey"} <= actions


def test_without_reduce_mode_there_is_no_table() -> None:
    template = synth_watchbot()
    assert not template.of_type(TABLE)
    assert "WATCHBOT_PROGRESS_TABLE" not in template.environment("watcher")
