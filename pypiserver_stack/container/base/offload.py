"""Calls in a thread beside the event loop: a slow file system must not stop the worker."""

from collections.abc import Callable
from typing import Any, TypeVar

import gevent

Result = TypeVar("Result")


def offload(function: Callable[..., Result], *arguments: object) -> Result:
    """Call `function` in a thread; other requests go on meanwhile. What it raises is raised here."""
    result, error = gevent.get_hub().threadpool.apply(_outcome, (function, arguments))
    if error is not None:
        try:
            raise error
        finally:
            # The traceback holds this frame: what its callers hold, such as open files, would stay until a collection.
            del error
    return result  # type: ignore[no-any-return]


def _outcome(function: Callable[..., Any], arguments: tuple[object, ...]) -> tuple[Any, Exception | None]:
    # gevent prints what a thread raises, even though its caller expects it.
    try:
        return function(*arguments), None
    except Exception as error:
        return None, error
