"""The operating system's file calls, counted, with errors and a clock that a test sets."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from pypiserver_stack.container.base.system_calls import SystemCalls


class CountedCalls(SystemCalls):
    """`count` is by the name of the call; `failing` says which paths cannot be opened, and why."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.now_s = 1000.0
        self.failing: dict[str, int] = {}

    def monotonic_s(self) -> float:
        return self.now_s

    def open(self, path: Any, *arguments: Any, **named: Any) -> int:
        self.count["open"] += 1
        if str(path) in self.failing:
            raise OSError(self.failing[str(path)], os.strerror(self.failing[str(path)]), str(path))
        return os.open(path, *arguments, **named)

    def close(self, descriptor: int) -> None:
        self.count["close"] += 1
        os.close(descriptor)

    def read(self, *arguments: Any) -> bytes:
        self.count["read"] += 1
        return os.read(*arguments)

    def fstat(self, descriptor: int) -> os.stat_result:
        self.count["fstat"] += 1
        return os.fstat(descriptor)

    def stat(self, *arguments: Any, **named: Any) -> os.stat_result:
        self.count["stat"] += 1
        return os.stat(*arguments, **named)

    def scandir(self, descriptor: int) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        self.count["scandir"] += 1
        return super().scandir(descriptor)
