"""gunicorn's gevent worker with connections of ours, and a stop as short as the requests under way."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import FrameType
from typing import Any

import gevent
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from pypiserver_stack.container.entry.plain_requests import SERVER_NAME, PlainRequests
from pypiserver_stack.container.http.chunks import bound_chunks
from pypiserver_stack.container.http.connection import Connection
from pypiserver_stack.container.http.unfinished_heads import UnfinishedHeads

# How long after the signal, or after its last answer, an idle connection still gets a request answered: what a
# balancer sent before it knew.
IDLE_LINGER_S = 1.0
# How long a connection may be idle while all places of the worker are taken. A request that waits for a place would
# otherwise wait for as long as a balancer keeps connections that it has no use for.
CROWDED_IDLE_S = 1.0
# Of an answer that its client does not take, the kernel would hold up to 4 MB, which count as the container's memory.
# With so few bytes unsent it holds 100 KB at the most, and a client that reads does not notice.
UNSENT_BYTES = 65536
# What makes gunicorn read a body. For the last that is eight bytes, as a draft of the WebSocket protocol had it.
_BODY_HEADERS = frozenset(["CONTENT-LENGTH", "TRANSFER-ENCODING", "SEC-WEBSOCKET-KEY1"])

# For the responses that gunicorn writes; which of the names it takes depends on its version.
wsgi.SERVER = wsgi.SERVER_SOFTWARE = SERVER_NAME
bound_chunks()


class TaskWorker(GeventWorker):  # type: ignore[misc]
    """Every request with a body closes its connection.

    gunicorn would read what an application has left of a body, a gigabyte if need be, before it takes the next
    request; and where it and the balancer differ about the length of a body, its end would be taken for a request.
    Uploads are few, and to connect again is cheap for a balancer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: set[Connection] = set()
        self._making_room: Any = None
        self._heads = UnfinishedHeads()
        self._answer_plain: Callable[[Any, Any, bytes], bool] = lambda client, address, data: False

    def init_process(self) -> None:
        """What the process does, from its fork to its end."""
        self.cfg.set("post_request", _close_if_short)
        for listener in self.sockets:  # its connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        # gunicorn asks for 23 settings per request, each through two tables: a fifth of what a request costs it.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def load_wsgi(self) -> None:
        """What answers, loaded before the first connection."""
        super().load_wsgi()
        if getattr(self.wsgi, "answers_most", False):
            self._answer_plain = PlainRequests(self.wsgi.answer, self.log.access, lambda: self.alive)

    def timeout_ctx(self) -> AbstractContextManager[None]:
        """The connection has limits of its own, for as long as it is idle and not until gunicorn gets a request."""
        return nullcontext()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        answer_plain = self._answer_plain
        connection = Connection(
            client, self.cfg.keepalive, self._heads, lambda self, data: answer_plain(self, addr, data)
        )
        self._connections.add(connection)
        if self._is_full and not self._making_room:
            self._making_room = gevent.spawn(self._make_room)
        try:
            super().handle(listener, connection, addr)
        finally:
            self._connections.discard(connection)

    @property
    def _is_full(self) -> bool:
        return len(self._connections) >= self.worker_connections  # type: ignore[no-any-return]

    def _make_room(self) -> None:
        while self._is_full:
            for connection in tuple(self._connections):
                connection.end_idle(longer_than_s=CROWDED_IDLE_S)
            gevent.sleep(0.1)

    def handle_request(self, listener_name: Any, req: Any, sock: Connection, addr: Any) -> None:
        # WSGI does not distinguish X_Forwarded_For from X-Forwarded-For, for which the balancer vouches.
        req.headers = [header for header in req.headers if "_" not in header[0]]
        has_body = not _BODY_HEADERS.isdisjoint([name for name, _ in req.headers])
        if has_body or not (self.alive or _next_began(req)):
            _close_after(req)
        sock.begin_answer(req, has_body)
        super().handle_request(listener_name, req, sock, addr)
        sock.end_answer(_next_began(req))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: what is under way is finished, and no connection is kept."""
        super().handle_exit(sig, frame)
        gevent.spawn(self._end_connections)

    def _end_connections(self) -> None:
        for connection in self._connections:
            if connection.request is not None and not connection.head_written:
                _close_after(connection.request)
        gevent.sleep(IDLE_LINGER_S)
        while True:  # until the process ends: connections become idle one after the other
            for connection in tuple(self._connections):
                connection.end_idle(longer_than_s=IDLE_LINGER_S)
            gevent.sleep(0.1)


def _close_if_short(worker: Any, req: Any, environ: dict[str, Any], resp: Any) -> None:
    """A client takes what comes next for the rest of what was promised."""
    if resp is None or resp.response_length is None or req.method == "HEAD" or resp.status_code in (204, 304):
        return
    if resp.sent + environ.get("pypiserver.sent_bytes", 0) < resp.response_length:
        _close_after(req)


def _next_began(req: Any) -> bool:
    """Bytes of the next request came with this one."""
    return bool(req.unreader.buf.getbuffer().nbytes)


def _close_after(req: Any) -> None:
    # gunicorn takes what the first of these headers says.
    req.headers = [header for header in req.headers if header[0] != "CONNECTION"] + [("CONNECTION", "close")]
