"""gRPC on this machine, for as long as a block lasts: a service on a free port, a channel to one."""

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


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """A channel to a service on this machine, closed on the way out.

    It shares nothing with other channels: they would pass on what they remember of an earlier, dead service whose port
    has been given out again. Unlike other clients, gRPC goes through `http_proxy` even to this very machine, unless an
    option turns that off.
    """
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
    ]
    with grpc.insecure_channel(address, options=options) as channel:
        yield channel
