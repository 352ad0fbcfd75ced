"""The variables that a worker is given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aws_cdk import aws_ecs as ecs

from watchbot.contract import is_reserved

_NO_NAME = re.compile(r"|.*[=\x00-\x1f\x7f].*", re.DOTALL)
_MOST_BYTES = 65_536
"""What a task definition may have in all, its environment included; Linux takes 131,071 bytes for each variable.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
"""


def variable_problems(environment: Mapping[str, str], secrets: Mapping[str, ecs.Secret]) -> Iterable[str]:
    """Say what cannot be; values are not shown, as one may be a secret that somebody wrote in the wrong place."""
    for argument, names in (("environment", environment), ("secrets", secrets)):
        for name in names:
            if is_reserved(name):
                yield f"{argument} cannot set {name}: Watchbot sets it for every worker"
            elif _NO_NAME.fullmatch(name):
                yield f"{argument} has {name!r}, which is no name of an environment variable"
    for name, value in environment.items():
        if "\0" in value:
            yield f"environment {name} must not contain a NUL, which no variable can, got one at {value.index(chr(0))}"
    size = sum(len(f"{name}={value}".encode(errors="surrogatepass")) for name, value in environment.items())
    if size > _MOST_BYTES:
        longest = max(environment, key=lambda name: len(environment[name]))
        yield (
            f"environment must be at most {_MOST_BYTES} bytes of names and values, the size of a task definition, got "
            f"{size}, most of them in {longest!r}"
        )
    for name in sorted(set(environment) & set(secrets)):
        yield f"{name} is in both environment and secrets; one of them has to go"
