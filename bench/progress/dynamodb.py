"""A DynamoDB of one table in this process: its conditions, limits and units, without its network.

It does what boto3's client does for the calls that ``watchbot.progress`` makes; tests hold it beside an emulator.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from bench.progress.expression import ExpressionError, Item, check, holds, updated

KEY = "id"
MOST_READ = 100
MOST_WRITTEN = 25
LARGEST_ITEM = 400 * 1024
LONGEST_KEY = 2048
PAGE = 1024 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""


class SimulatedDynamoDb:
    """Counts what it is asked: ``calls`` by name, ``read_units`` and ``write_units``, and the largest item ever."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.calls: dict[str, int] = {}
        self.read_units = 0
        self.write_units = 0
        self.largest = 0
        self._lock = threading.Lock()

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        with self._call("GetItem"):
            assert ConsistentRead
            item = self._read(Key)
            return {} if item is None else {"Item": dict(item)}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        with self._call("BatchGetItem"):
            ((table, asked),) = RequestItems.items()
            if not 1 <= len(asked["Keys"]) <= MOST_READ or not asked["ConsistentRead"]:
                raise _refused("BatchGetItem", "too many items requested")
            found = [self._read(key) for key in asked["Keys"]]
            return {"Responses": {table: [dict(item) for item in found if item is not None]}, "UnprocessedKeys": {}}

    def put_item(self, *, TableName: str, Item: Item, **fields: Any) -> dict[str, Any]:  # noqa: N803
        with self._call("PutItem"):
            return self._write("PutItem", Item[KEY]["S"], lambda _: dict(Item), **fields)

    def update_item(self, *, TableName: str, Key: Item, UpdateExpression: str, **fields: Any) -> dict[str, Any]:  # noqa: N803
        with self._call("UpdateItem"):

            def change(item: Item) -> Item:
                names, values = fields["ExpressionAttributeNames"], fields["ExpressionAttributeValues"]
                return updated(UpdateExpression, {**item, **Key}, names, values)

            return self._write("UpdateItem", Key[KEY]["S"], change, UpdateExpression, **fields)

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        with self._call("BatchWriteItem"):
            ((_, requests),) = RequestItems.items()
            if not 1 <= len(requests) <= MOST_WRITTEN:
                raise _refused("BatchWriteItem", "too many items requested")
            for request in requests:
                item = self.items.pop(request["DeleteRequest"]["Key"][KEY]["S"], {})
                self.write_units += _units(size_of(item), 1024)
            return {"UnprocessedItems": {}}

    def scan(self, *, TableName: str, FilterExpression: str, ConsistentRead: bool, **fields: Any) -> dict[str, Any]:  # noqa: N803
        with self._call("Scan"):
            names, values = fields["ExpressionAttributeNames"], fields["ExpressionAttributeValues"]
            after = fields.get("ExclusiveStartKey", {KEY: {"S": ""}})[KEY]["S"]
            page: list[Item] = []
            size = 0
            for key in sorted(one for one in self.items if one > after):
                if size >= PAGE:
                    return {"Items": page, "LastEvaluatedKey": {KEY: {"S": after}}}
                size += size_of(self.items[key])
                after = key
                if holds(FilterExpression, self.items[key], names, values):
                    page.append(dict(self.items[key]))
            return {"Items": page}

    def _write(
        self,
        operation: str,
        key: str,
        change: Callable[[Item], Item],
        expression: str = "",
        *,
        ExpressionAttributeNames: Mapping[str, str],  # noqa: N803
        ExpressionAttributeValues: Mapping[str, Any],  # noqa: N803
        ConditionExpression: str = "",  # noqa: N803
        ReturnValuesOnConditionCheckFailure: str = "NONE",  # noqa: N803
        ReturnValues: str = "NONE",  # noqa: N803
    ) -> dict[str, Any]:
        names, values = ExpressionAttributeNames, ExpressionAttributeValues
        try:
            check(f"{expression} {ConditionExpression}", names, values)
        except ExpressionError as error:
            raise _refused(operation, str(error)) from None
        before = self.items.get(key)
        if ConditionExpression and not holds(ConditionExpression, before, names, values):
            # A write whose condition fails costs as much as one that is made.
            self.write_units += _units(size_of(before or {}), 1024)
            raise _unmet(operation, before if ReturnValuesOnConditionCheckFailure == "ALL_OLD" else None)
        after = change(before or {})
        self._check_size(operation, key, after)
        self.write_units += _units(max(size_of(before or {}), size_of(after)), 1024)
        self.items[key] = after
        return {"Attributes": dict(after)} if ReturnValues == "ALL_NEW" else {}

    def _check_size(self, operation: str, key: str, item: Item) -> None:
        size = size_of(item)
        if size > LARGEST_ITEM or not 1 <= len(key.encode()) <= LONGEST_KEY:
            raise _refused(operation, "item size has exceeded the maximum allowed size")
        self.largest = max(self.largest, size)

    def _read(self, key: Item) -> Item | None:
        item = self.items.get(key[KEY]["S"])
        self.read_units += _units(size_of(item or {}), 4096)
        return item

    def _call(self, name: str) -> threading.Lock:
        self.calls[name] = self.calls.get(name, 0) + 1
        return self._lock


def size_of(item: Item) -> int:
    """Bytes of an item, as DynamoDB counts them: names and values.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return len(content) // 2 + 2
        case _:
            return sum(len(one) // 2 + 2 for one in content)


def _units(size: int, unit: int) -> int:
    return max(1, -(-size // unit))


def _refused(operation: str, text: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": text}}, operation)


def _unmet(operation: str, item: Item | None) -> ClientError:
    response: Any = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "the condition does not hold"}}
    if item is not None:
        response["Item"] = dict(item)
    return ClientError(response, operation)
