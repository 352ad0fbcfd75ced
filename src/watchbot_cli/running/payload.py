"""A message's payload in S3, copied to where the job of a run reads it."""

from __future__ import annotations

from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from watchbot.contract import PREFIX
from watchbot.message import Message
from watchbot.opener import EnvelopeOpener, envelope_in
from watchbot.payload import Pointer, pointer_of
from watchbot_cli.errors import CommandError
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.refusal import refusal_of
from watchbot_cli.session import patient_session

SETTING = f"{PREFIX}PAYLOAD_BUCKET"


def pointer_of_message(message: Message) -> Pointer | None:
    """Give what a message points to, in whatever bucket: who runs it chose the message."""
    envelope = envelope_in(message.body)
    pointer = pointer_of(message.body if envelope is None else envelope["Message"])
    return None if pointer is None else EnvelopeOpener(pointer.bucket).pointer_of(message)


def copy_payload(pointer: Pointer, emulator: Emulator, folder: Path) -> None:
    """Read the object with this shell's own AWS settings and put it into the embedded AWS, under the same name."""
    copy = folder / "payload"
    try:
        patient_session().client("s3").download_file(pointer.bucket, pointer.key, str(copy))
    except (BotoCoreError, ClientError) as error:
        why = refusal_of(error) or error
        raise CommandError(f"the message's payload {pointer} cannot be read: {why}") from error
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=pointer.bucket)
    s3.upload_file(str(copy), pointer.bucket, pointer.key)
    copy.unlink()
