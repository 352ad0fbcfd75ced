"""How callers of a webhook sign what they send."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_secretsmanager as secretsmanager

from watchbot.contract import HmacAlgorithm, HmacEncoding, HmacScheme, OnInvalid
from watchbot_cdk.headers import header_kinds, header_problems
from watchbot_cdk.problems import kind_problems, span_problems

_DAY_SECONDS = 86_400

_OnInvalid = Literal["drop", "dead_letter"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hmac:
    """A shared secret with which callers sign; :meth:`github` and :meth:`stripe` know how those do it.

    :param secret: holds what they sign with. Its current and its previous value are both good, so that it can be
        rotated: store the new value first, then give it to the caller.
    :param header: in which the signature comes.
    :param algorithm: of the HMAC, ``sha256`` or ``sha512``.
    :param encoding: of the signature, ``hex`` or ``base64``.
    :param prefix: what stands before it.
    :param tolerance: the body alone is signed by default; with a tolerance the time of signing is, too, as Stripe does
        it, and may be so far from when the request comes in, up to a day.
    :param headers: what else of each request is told to the worker.
    :param field: of a JSON secret; by default the secret's whole text is what they sign with.
    :param on_invalid: ``drop`` what is not signed so, or ``dead_letter`` it with the reason. It is counted either way.
        With ``dead_letter`` any caller can fill the dead-letter queue and set off its alarms. What may have been valid
        before, such as a redriven letter after rotations, is dead-lettered always.
    """

    secret: secretsmanager.ISecret
    header: str
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    tolerance: Duration | None = None
    headers: Sequence[str] = ()
    field: str | None = None
    on_invalid: _OnInvalid = "drop"

    @classmethod
    def github(
        cls, secret: secretsmanager.ISecret, *, field: str | None = None, on_invalid: _OnInvalid = "drop"
    ) -> Hmac:
        """Sign as GitHub does; the worker is told which event it is, and which delivery.

        https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
        """
        return cls(
            secret=secret,
            header="X-Hub-Signature-256",
            prefix="sha256=",
            headers=("X-GitHub-Event", "X-GitHub-Delivery"),
            field=field,
            on_invalid=on_invalid,
        )

    @classmethod
    def stripe(
        cls,
        secret: secretsmanager.ISecret,
        *,
        tolerance: Duration | None = None,
        field: str | None = None,
        on_invalid: _OnInvalid = "drop",
    ) -> Hmac:
        """Sign as Stripe does; a request may be 5 minutes old by default when it comes in.

        https://docs.stripe.com/webhooks
        """
        return cls(
            secret=secret,
            header="Stripe-Signature",
            tolerance=Duration.minutes(5) if tolerance is None else tolerance,
            field=field,
            on_invalid=on_invalid,
        )

    @property
    def scheme(self) -> HmacScheme:
        """What is signed."""
        return HmacScheme.BODY if self.tolerance is None else HmacScheme.STRIPE

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        if not hasattr(self.secret, "secret_arn"):
            yield f"webhook hmac secret must be a Secret, got {type(self.secret).__name__}"
        yield from kind_problems("webhook hmac header", self.header, str)
        yield from kind_problems("webhook hmac prefix", self.prefix, str)
        yield from kind_problems("webhook hmac tolerance", self.tolerance, Duration, optional=True)
        yield from kind_problems("webhook hmac field", self.field, str, optional=True)
        yield from header_kinds("webhook hmac headers", self.headers)

    def problems(self) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        yield from header_problems("webhook hmac header", [self.header])
        yield from header_problems("webhook hmac headers", self.headers)
        for name, value, allowed in (
            ("algorithm", self.algorithm, HmacAlgorithm),
            ("encoding", self.encoding, HmacEncoding),
            ("on_invalid", self.on_invalid, OnInvalid),
        ):
            if value not in tuple(allowed):
                yield f"webhook hmac {name} must be one of {', '.join(allowed)}, got {value!r}"
        if self.field == "":
            yield "webhook hmac field must be the name of a field or None, got ''"
        if self.tolerance is not None:
            yield from span_problems("webhook hmac tolerance", self.tolerance, 1, _DAY_SECONDS)
            if (self.algorithm, self.encoding, self.prefix) != ("sha256", "hex", ""):
                yield (
                    "webhook hmac tolerance is for signatures as Stripe makes them: sha256, hex, without a prefix, "
                    f"got {self.algorithm}, {self.encoding}, {self.prefix!r}"
                )
