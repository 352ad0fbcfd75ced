"""However a message came to the dead-letter queue and however it returns, it is processed or still in a queue.

Every source, way there, way back, number of rotations and release that wrote the letter, in virtual time; tests/fault
has the real queue, the real commands and payloads in S3.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.simulation.runner import SimulatedRunner, Work
from tests.simulation.signed import GITHUB, HEADER, SECRET, SimulatedSecrets, attributes, sign
from tests.simulation.sqs import SimulatedSqs
from tests.simulation.virtual_time import run_virtual
from tests.simulation.watch import Watch
from watchbot.contract import OnInvalid
from watchbot.signature import SignatureRule
from watchbot.signature_check import SignatureCheck
from watchbot.signing_secret import SigningSecret
from watchbot_cli.dead_letter.exported import read_letters
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.errors import UsageError

_ID = "5fea7756-0ea4-451a-a703-a558b933e274"
_JOB = '{"url": "htpp://x"}'
_MENDED = _JOB.replace("htpp", "http")
_ENVELOPE = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": _JOB})
_COLOUR = {"colour": {"DataType": "String", "StringValue": "red"}}
_SECRETS = ((SECRET,), (b"second", SECRET), (b"third", b"second"))

_SOURCES = ("envelope", "raw", "direct", "webhook")
_WAYS_THERE = ("exit code 5", "last failure", "SQS itself", "invalid signature")
_WAYS_BACK = ("move task", "redrive", "import", "import mended", "import mended, trusted")


@dataclasses.dataclass(frozen=True)
class _Case:
    source: str
    fifo: bool
    there: str
    back: str
    rotations: int
    old_release: bool
    later_seconds: float

    @property
    def is_verified(self) -> bool:
        """Whether the letter is noted as verified."""
        return self.there in ("exit code 5", "last failure") and not self.old_release

    @property
    def expected(self) -> str:
        """What is to become of it."""
        if self.source != "webhook" or self.is_verified or self.back == "import mended, trusted":
            return "processed"
        is_whole = self.back != "import mended" and self.there != "invalid signature"
        return "processed" if is_whole and self.rotations < 2 else "kept"


def _cases() -> Iterator[_Case]:
    for source, fifo, there, back, rotations, old_release, later_seconds in itertools.product(
        _SOURCES, (False, True), _WAYS_THERE, _WAYS_BACK, range(3), (False, True), (1, 86_400)
    ):
        is_possible = source == "webhook" or (there != "invalid signature" and rotations == 0)
        is_told_apart = there in ("exit code 5", "last failure") or not old_release
        if is_possible and is_told_apart:
            yield _Case(source, fifo, there, back, rotations, old_release, later_seconds)


class _Service:
    """A queue with a watcher; another one of the same service starts with the time that the last one ended at."""

    def __init__(self, case: _Case, secrets: SimulatedSecrets, exit_code: int) -> None:
        self.sqs = SimulatedSqs(fifo=case.fifo)
        self.runner = SimulatedRunner(lambda job: Work(0.5, exit_code))
        secret = SigningSecret(secrets, asyncio.get_running_loop().time)
        # With on_invalid="drop" a letter that was ever invalid is the most likely to be deleted.
        on_invalid = OnInvalid.DEAD_LETTER if exit_code else OnInvalid.DROP
        check = SignatureCheck(self.runner, SignatureRule(GITHUB), secret, on_invalid, can_dead_letter=True)
        self.watch = Watch(self.sqs, check, max_receive_count=1 if case.there == "last failure" else 10)

    async def work(self) -> None:
        await self.watch.after(60)
        await self.watch.stopped()


async def _letter(case: _Case, secrets: SimulatedSecrets) -> Letter:
    """Make a message into a dead letter."""
    now = asyncio.get_running_loop().time
    given: Mapping[str, Mapping[str, Any]] = _COLOUR if case.source == "raw" else {}
    body = _ENVELOPE if case.source == "envelope" else _JOB
    if case.source == "webhook":
        signed = "another" if case.there == "invalid signature" else _JOB
        given = attributes({HEADER: sign(signed)}, now())
    group = {"MessageGroupId": "g"} if case.fifo else {}
    fields: Mapping[str, Any] = {"MessageBody": body, "MessageAttributes": given}
    if case.there != "SQS itself":
        service = _Service(case, secrets, 1 if case.there == "last failure" else 5)
        service.sqs.put(body, group="g" if case.fifo else None, attributes=given)
        await service.work()
        (fields,) = service.sqs.dead_letters
    found = {name: dict(one) for name, one in fields["MessageAttributes"].items()}
    if "watchbot.MessageId" in found:
        found["watchbot.MessageId"]["StringValue"] = _ID  # as SQS makes them
    if case.old_release:
        found.pop("watchbot.ReceiveCount")
        if case.source == "webhook":
            found["watchbot.WebhookTime"]["DataType"] = "Number"
    sent = {"SentTimestamp": str(int(now() * 1000)), **group}
    return Letter(_ID, "", fields["MessageBody"], sent, found)


def _returned(letter: Letter, case: _Case, folder: Path) -> Letter | None:
    """Do what the way back does to the letter; None when it refuses."""
    if not case.back.startswith("import"):
        return letter
    document = letter.document(0)
    if case.back != "import":
        document["body"] = document["body"].replace("htpp", "http")
    file = folder / "dead.jsonl"
    file.write_text(json.dumps(document))
    try:
        ((_, found),) = read_letters(str(file), fifo=case.fifo, trust_unverified=case.back.endswith("trusted"))
    except UsageError:
        return None
    return found


async def _became(case: _Case, folder: Path) -> str:
    secrets = SimulatedSecrets(*_SECRETS[0])
    secrets.changed_at = -3600
    await asyncio.sleep(100)
    letter = await _letter(case, secrets)
    for stored in _SECRETS[1 : 1 + case.rotations]:
        secrets.stored, secrets.changed_at = stored, asyncio.get_running_loop().time()
    await asyncio.sleep(case.later_seconds)
    returned = _returned(letter, case, folder)
    if returned is None:
        return "kept"
    fields = returned.send_fields(fifo=case.fifo)
    service = _Service(case, secrets, 0)
    service.sqs.put(fields["MessageBody"], group=fields.get("MessageGroupId"), attributes=fields["MessageAttributes"])
    await service.work()
    if service.runner.texts:
        assert service.runner.texts == [_MENDED if "mended" in case.back else _JOB]
        return "processed"
    queued = [*service.sqs.stored, *service.sqs.dead_letters]
    return "kept" if queued else "gone"


@pytest.mark.parametrize("source", _SOURCES)
def test_every_returned_letter_is_processed_or_still_in_a_queue(source: str, tmp_path: Path) -> None:
    cases = [case for case in _cases() if case.source == source]
    assert len(cases) > 50
    became = {case: run_virtual(_became(case, tmp_path)) for case in cases}
    assert {case: found for case, found in became.items() if found != case.expected} == {}
