"""File calls off the event loop: a slow file system must not stop the worker."""

from typing import Callable, TypeVar

import gevent

Result = TypeVar("Result")


def offload(function: Callable[..., Result], *arguments: object) -> Result:
    """Call `function` in a thread; other requests go on meanwhile.

    Raises:
        Exception: what `function` raised.
    """
    result: Result = gevent.get_hub().threadpool.apply(function, arguments)
    return result
