"""Answers of the CDK that are kept: each question calls another process, and all services of an app ask alike."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

_P = ParamSpec("_P")
_R = TypeVar("_R")

_MOST = 256


def remembered(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Keep what a function gave for the last objects it was asked about; for what never changes in them.

    Objects of the CDK are told apart by identity, whatever is in them, and are kept with their answers.
    """
    return cast(Callable[_P, _R], functools.lru_cache(_MOST)(function))
