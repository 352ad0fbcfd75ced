"""The wire to DynamoDB: strongly consistent reads, and conditional writes that say what stood in their way."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from watchbot.contract import PROGRESS_KEY, PROGRESS_VARIABLE
from watchbot.progress.errors import InvalidValueError, TableError
from watchbot.progress.item import Value, decode, encode

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_T = TypeVar("_T")

_READ_BATCH = 100
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""

_WRITE_BATCH = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""

_ARN = re.compile(r"arn:[\w-]+:dynamodb:([\w-]+):\d*:table/([\w.-]{3,255})")
_NAME = re.compile(r"#(\w+)")
_LONGEST_PAUSE_SECONDS = 5.0


class Table:
    """One table, behind a boto3 client of DynamoDB, which may be shared by threads.

    Every call raises :class:`TableError` when it fails as a whole. ``wait`` sleeps between parts of a batch that
    DynamoDB has put off.
    """

    def __init__(self, client: Any, name: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = name
        self._wait = wait

    @classmethod
    def of_arn(cls, arn: str) -> Table:
        """Open the table of this ARN, in its region, with boto3's own credentials and endpoint settings."""
        found = _ARN.fullmatch(arn)
        if found is None:
            allowed = "the ARN of a table, such as arn:aws:dynamodb:eu-central-1:111122223333:table/progress"
            raise InvalidValueError(PROGRESS_VARIABLE, arn, allowed)
        return cls(_client(region=found[1]), found[2])

    def get(self, key: str) -> dict[str, Any] | None:
        """Read an item."""
        answer = self._call(
            lambda: self._client.get_item(TableName=self._name, Key=encode({PROGRESS_KEY: key}), ConsistentRead=True)
        )
        return decode(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Read items, each as it is at some time during the call; those that are not there are left out."""
        found: dict[str, dict[str, Any]] = {}

        def read(asked: dict[str, Any]) -> dict[str, Any]:
            answer = self._call(lambda: self._client.batch_get_item(RequestItems=asked))
            items = [decode(item) for item in answer["Responses"].get(self._name, ())]
            found.update({item[PROGRESS_KEY]: item for item in items})
            return answer.get("UnprocessedKeys") or {}

        for batch in _batches(keys, _READ_BATCH):
            asked = {"Keys": [encode({PROGRESS_KEY: key}) for key in batch], "ConsistentRead": True}
            self._until_nothing_is_left(read, {self._name: asked})
        return found

    def put(
        self, values: Mapping[str, Value], condition: str, given: Mapping[str, Value]
    ) -> tuple[bool, dict[str, Any] | None]:
        """Write an item if the condition holds; else give the item that is there."""
        return self._conditional(
            lambda fields: self._client.put_item(TableName=self._name, Item=encode(values), **fields),
            _fields(condition, given, ConditionExpression=condition),
        )

    def update(
        self,
        key: str,
        change: str,
        condition: str | None,
        given: Mapping[str, Value],
        names: Mapping[str, str] | None = None,
    ) -> tuple[bool, dict[str, Any] | None]:
        """Change an item if the condition holds, and give what it became; else give the item that is there.

        ``#name`` in the expressions stands for the attribute ``name``, unless ``names`` says otherwise.
        """
        fields = _fields(f"{change} {condition or ''}", given, UpdateExpression=change, ReturnValues="ALL_NEW")
        if condition is not None:
            fields["ConditionExpression"] = condition
        fields["ExpressionAttributeNames"] |= names or {}
        return self._conditional(
            lambda fields: self._client.update_item(TableName=self._name, Key=encode({PROGRESS_KEY: key}), **fields),
            fields,
        )

    def delete(self, keys: Sequence[str]) -> None:
        """Remove items, whether they are there or not."""

        def write(asked: dict[str, Any]) -> dict[str, Any]:
            answer = self._call(lambda: self._client.batch_write_item(RequestItems=asked))
            return answer.get("UnprocessedItems") or {}

        for batch in _batches(keys, _WRITE_BATCH):
            asked = [{"DeleteRequest": {"Key": encode({PROGRESS_KEY: key})}} for key in batch]
            self._until_nothing_is_left(write, {self._name: asked})

    def scan(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Read all items whose keys start so, page by page; it reads the whole table."""
        fields: dict[str, Any] = _fields(f"#{PROGRESS_KEY}", {":prefix": prefix}, TableName=self._name)
        fields |= {"FilterExpression": f"begins_with(#{PROGRESS_KEY}, :prefix)", "ConsistentRead": True}
        while True:
            answer = self._call(lambda: self._client.scan(**fields))
            yield from (decode(item) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            fields["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _until_nothing_is_left(self, call: Callable[[dict[str, Any]], dict[str, Any]], asked: dict[str, Any]) -> None:
        for pause in _pauses():
            asked = call(asked)
            if not asked:
                return
            self._wait(pause)

    def _conditional(
        self, write: Callable[[dict[str, Any]], Any], fields: dict[str, Any]
    ) -> tuple[bool, dict[str, Any] | None]:
        from botocore.exceptions import ClientError

        def attempt() -> tuple[bool, dict[str, Any] | None]:
            try:
                answer = write({**fields, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
            except ClientError as error:
                if _code(error) != "ConditionalCheckFailedException":
                    raise
                item: Any = error.response.get("Item")
                return False, decode(item) if item else None
            return True, decode(answer.get("Attributes", {}))

        return self._call(attempt)

    def _call(self, call: Callable[[], _T]) -> _T:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            raise TableError(f"table {self._name}: {error}") from error


def _client(region: str) -> Any:
    import boto3
    import botocore.config
    from botocore.exceptions import BotoCoreError

    # Standard mode tries again what was throttled or got no answer, with growing pauses.
    config = botocore.config.Config(
        region_name=region,
        connect_timeout=5,
        read_timeout=10,
        max_pool_connections=50,
        retries={"mode": "standard", "total_max_attempts": 10},
        user_agent_extra="watchbot",
    )
    try:
        return boto3.client("dynamodb", config=config)
    except (BotoCoreError, ValueError) as error:
        raise TableError(f"no client of DynamoDB can be made of this environment: {error}") from error


def _fields(expressions: str, given: Mapping[str, Value], **fields: Any) -> dict[str, Any]:
    names = {f"#{name}": name for name in _NAME.findall(expressions)}
    return {**fields, "ExpressionAttributeNames": names, "ExpressionAttributeValues": encode(given)}


def _batches(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _pauses() -> Iterator[float]:
    return (min(0.05 * 2**tries, _LONGEST_PAUSE_SECONDS) for tries in itertools.count())


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
