"""What AWS, or the way to it, refused: in a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore import exceptions

from watchbot_cli.errors import CommandError, UsageError

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "KmsAccessDenied",
    "UnauthorizedOperation",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_INVALID = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_THROTTLED = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
"""https://docs.aws.amazon.com/general/latest/gr/api-retries.html and the services' common errors."""

_PASSING_STATUS = {429, 500, 502, 503, 504}

_NO_QUEUE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


def refusal_of(error: Exception) -> CommandError | None:
    """Say what is the matter in the words of the person at the keyboard; None for what AWS has no part in."""
    if isinstance(error, exceptions.ClientError):
        return _answered(error)
    for kinds, say in _BEFORE:
        if isinstance(error, kinds):
            return say(error)
    return CommandError(f"AWS cannot be called: {error}") if isinstance(error, exceptions.BotoCoreError) else None


def is_passing(error: Exception) -> bool:
    """Whether the same call may well succeed in a while: AWS throttles or has trouble, or the network is lost."""
    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return error.response.get("Error", {}).get("Code", "") in _THROTTLED or status in _PASSING_STATUS
    return isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError)


def _answered(error: exceptions.ClientError) -> CommandError:
    code = error.response.get("Error", {}).get("Code", "")
    text = error.response.get("Error", {}).get("Message") or code
    action = error.operation_name
    if code in _DENIED:
        return CommandError(f"these AWS credentials may not call {action}: {text}")
    if code in _EXPIRED:
        return CommandError("the AWS credentials have expired: get new ones, for instance with aws sso login")
    if code in _INVALID:
        return CommandError(f"AWS does not take the credentials: {text}")
    if code in _THROTTLED:
        attempts = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) + 1
        return CommandError(f"AWS throttles {action}, {attempts} times in a row: try again later ({text})")
    if code in _NO_QUEUE:
        return CommandError(f"{action}: a queue of the service does not exist any more: {text}")
    return CommandError(f"AWS refuses {action}: {text} ({code})")


def _no_credentials(error: Any) -> CommandError:
    return CommandError(f"no AWS credentials: name a profile with --profile, or set AWS_PROFILE ({error})")


def _expired(error: Any) -> CommandError:
    return CommandError(f"the AWS credentials have expired or cannot be had: {error}")


def _unreachable(error: Any) -> CommandError:
    return CommandError(f"AWS cannot be reached: {error}; is the region right, and the network there?")


def _unanswered(error: Any) -> CommandError:
    return CommandError(f"AWS has not answered in time, twice: try again later ({error})")


def _unusable(error: Any) -> CommandError:
    return UsageError(f"the AWS settings cannot be used: {error}")


_BEFORE: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], CommandError]], ...] = (
    ((exceptions.NoCredentialsError, exceptions.PartialCredentialsError), _no_credentials),
    (
        (
            exceptions.CredentialRetrievalError,
            exceptions.SSOError,
            exceptions.TokenRetrievalError,
            exceptions.RefreshWithMFAUnsupportedError,
        ),
        _expired,
    ),
    ((exceptions.ReadTimeoutError,), _unanswered),
    ((exceptions.HTTPClientError, exceptions.ConnectionError), _unreachable),
    (
        (
            exceptions.ProfileNotFound,
            exceptions.ConfigParseError,
            exceptions.ConfigNotFound,
            exceptions.InvalidRegionError,
            exceptions.NoRegionError,
        ),
        _unusable,
    ),
)
"""What can go wrong before AWS answers; who tells of it; the first that fits."""
