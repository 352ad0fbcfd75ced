"""Credentials that are retrieved when a call needs them, so that a watcher starts before they can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import NoCredentialsError


class LateCredentials:
    """Stand where botocore keeps credentials, and look for them at the first call that has to be signed.

    botocore looks for them while it makes a client, so that a credentials endpoint that fails for some seconds would
    end the watcher. A call that finds none fails, like any other call, and the next one looks again.

    It is both botocore's credential provider (``load_credentials``) and what that provider returns.
    """

    method = "late"

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._found: Any = None
        self._lock = threading.Lock()

    def load_credentials(self) -> LateCredentials:
        """Return the credentials, as botocore asks its provider for them."""
        return self

    def get_frozen_credentials(self) -> Any:
        """Return key, secret and token to sign one request with."""
        return self.found().get_frozen_credentials()

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """Return a function that reads one property, as botocore asks for the account."""
        return lambda: getattr(self.get_frozen_credentials(), name)

    def found(self) -> Any:
        """Return botocore's own credentials; raises BotoCoreError while there are none."""
        if self._found is None:
            with self._lock:
                if self._found is None:
                    self._found = self._provider.load_credentials()
        if self._found is None:
            raise NoCredentialsError
        return self._found
