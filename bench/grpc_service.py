"""A gRPC service on a free port of this machine, for as long as a block lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]

# The engine sends as many requests at once as there are resources that can be made at once.
_THREADS = 64


@contextlib.contextmanager
def listening(add_service: Callable[[Any], object]) -> Iterator[str]:
    """Serve what `add_service` adds to a gRPC server; gives its address.

    On the way out the last request is waited for, so that nothing is done behind the back of what comes next.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        server = grpc.server(threads, options=[("grpc.max_receive_message_length", -1)])
        add_service(server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
