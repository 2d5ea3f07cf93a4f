"""Connection of a client: a response leaves in one send, and an idle client holds nothing for long."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from os import sendfile  # the plain one: gunicorn replaces it in os by one that waits, which no thread may
from time import monotonic
from typing import Any, NoReturn

import gevent
from gevent.socket import wait_write

from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.http.pace import Pace
from pypiserver_stack.container.http.unfinished_heads import UnfinishedHeads

# Limits on purpose. A balancer forwards a head at once; only a client that means harm, or is gone, needs longer.
HEAD_S = 10
# What the balancer lets through. gunicorn's own limits, of a line and of how many, come to a megabyte.
HEAD_BYTES = 65536
# Without one byte of progress, in either direction; pace.py bounds how slow progress may be. Longer than any
# retransmission that still succeeds.
STALL_S = 30
# Above this, copying the first piece behind the head costs more than the segment it saves.
GATHER_BYTES = 65536
# What a client may still send after its answer: enough for it to notice, and for a proxy to be scheduled.
DRAIN_S, DRAIN_BYTES = 2, 16 * 1024 * 1024
# Newer gunicorns ask for a megabyte of a body at once, and hold it.
RECEIVE_BYTES = 65536
# A client that sends as fast as it is read would keep all others waiting: after so many bytes it is their turn.
TURN_BYTES = 256 * 1024
_REFUSAL = "HTTP/1.1 {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_HEAD_TOO_LARGE = _REFUSAL.format("431 Request Header Fields Too Large").encode()
_TOO_MANY_HEADS = _REFUSAL.format("503 Service Unavailable\r\nRetry-After: 10").encode()


class Connection:
    """The socket methods that gunicorn uses, around gevent's socket.

    The worker says when the answer to a request begins and ends. Between answers the connection is idle until the
    first byte of the next head has arrived.
    """

    def __init__(
        self,
        sock: Any,
        keepalive_s: float,
        heads: UnfinishedHeads,
        answer_plain: Callable[[Connection, bytes], bool],
    ) -> None:
        """
        Args:
            keepalive_s: how long it may stay idle.
            heads: those of all connections.
            answer_plain: takes what an idle client has sent, and answers it if that is a plain request.
        """
        self.request: Any = None  # the one being answered
        self.head_written = False
        self.idle_since_s: float | None = monotonic()
        self._sock = sock
        self._keepalive_s = keepalive_s
        self._heads = heads
        self._answer_plain = answer_plain
        self._held = b""
        self._head_until_s = 0.0
        self._head_bytes = 0
        self._turn_bytes = 0
        self._pace = Pace()
        self._client_sends = False
        self._ended = self._closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def setblocking(self, flag: bool) -> None:
        """Waiting has the limits above, whatever gunicorn asks for."""

    def begin_answer(self, request: Any, has_body: bool) -> None:
        """A head has been read."""
        self.request, self.head_written, self.idle_since_s, self._client_sends = request, False, None, has_body
        self._forget_head()
        self._pace = Pace()

    def _forget_head(self) -> None:
        self._heads.shrink(self._head_bytes)
        self._head_bytes = 0

    def end_answer(self, next_began: bool) -> None:
        """The answer is whole, and the connection stays open."""
        self.flush()
        now_s = monotonic()
        self.request, self.idle_since_s, self._client_sends = None, None if next_began else now_s, next_began
        self._head_until_s = now_s + HEAD_S
        if next_began:
            gevent.sleep(0)  # a client may send thousands of requests at once: after each it is the others' turn

    def end_idle(self, longer_than_s: float) -> None:
        """No further request, when there has been none for so long. One that has arrived unseen is still answered."""
        if self.idle_since_s is not None and monotonic() - self.idle_since_s >= longer_than_s:
            with suppress(OSError):
                # Its reader gets what has arrived, and only then the end. gevent's own shutdown would stop the reader.
                self._sock._sock.shutdown(socket.SHUT_RD)

    @property
    def client_has_gone(self) -> bool:
        """Whether the client has ended the connection, or its own half of it."""
        try:
            # gevent's own recv would wait.
            return not self._sock._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def recv(self, size: int) -> bytes:
        """What the client sends next, plain requests left out: those are answered on the way.

        Raises:
            ConnectionResetError: the client took too long, or sent a head that is too large, or the end has been read
                twice: gunicorn 20.0.4 would ask for the rest of a chunk for ever.
        """
        while True:
            idle = self.idle_since_s is not None
            data = self._receive(size)
            if not (idle and data and self._answer_plain(self, data)):
                return data

    def _receive(self, size: int) -> bytes:
        self.flush()
        if self._head_bytes >= HEAD_BYTES:
            self._send(_HEAD_TOO_LARGE)
            raise _reset("the head is too large")
        self._sock.settimeout(self._patience_s())
        try:
            began_s = monotonic()
            data: bytes = self._sock.recv(min(size, RECEIVE_BYTES))
            self._pace.waited(began_s)
        except TimeoutError:
            self._client_sends = False
            if self.idle_since_s is not None:
                return b""
            raise _reset("the client sends nothing") from None
        if not data:
            if self._ended:
                raise _reset("the client has gone")
            self._ended, self._client_sends = True, False
        elif self.idle_since_s is not None:
            self.idle_since_s, self._client_sends, self._head_until_s = None, True, monotonic() + HEAD_S
        if self.request is None:
            self._head_bytes += len(data)
            if not self._heads.grow(len(data)):
                self._send(_TOO_MANY_HEADS)
                raise _reset("all heads together are too large")
        else:
            self._progress(len(data))
        self._turn_bytes += len(data)
        if self._turn_bytes >= TURN_BYTES:
            self._turn_bytes = 0
            gevent.sleep(0)
        return data

    def _patience_s(self) -> float:
        if self.request is not None:
            return STALL_S
        if self.idle_since_s is not None:
            return self._keepalive_s
        return max(0.001, self._head_until_s - monotonic())  # 0 would mean not to wait for what has arrived

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """As a socket's, but for an answer's head: it waits for what follows it."""
        if self.request is not None and not self.head_written:
            self.head_written, self._held = True, data
            return
        head, self._held = self._held, b""
        if head and len(data) <= GATHER_BYTES:
            data = head + data
        elif head:
            self._send(head, socket.MSG_MORE)
        self._send(data)

    def send(self, data: bytes) -> int:
        """At once: so gunicorn tells a client to go on with its body."""
        self.flush()
        self._send(data)
        return len(data)

    def flush(self) -> None:
        """Send a head that nothing has followed."""
        if self._held:
            head, self._held = self._held, b""
            self._send(head)

    def _send(self, data: bytes | memoryview, flags: int = 0) -> None:
        self._sock.settimeout(STALL_S)
        try:
            while data:
                began_s = monotonic()
                sent = self._sock.send(data, flags)
                self._pace.waited(began_s)
                self._progress(sent)
                data = memoryview(data)[sent:]
        except TimeoutError:
            self._give_up()

    def _progress(self, count: int) -> None:
        self._pace.moved(count)
        if self._pace.is_too_slow:
            self._give_up()

    def _give_up(self) -> NoReturn:
        self._client_sends = False
        # The kernel must not go on offering what nobody takes.
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _reset("the client takes or sends too little") from None

    def send_file(self, file: int, start: int, end: int) -> None:
        """Send the bytes of an open file from `start` to `end` without copying them, read off the event loop.

        Raises:
            ConnectionResetError: the client takes nothing, or the file ends early. Its length is promised already: an
                end of the connection is the one sign that is left.
        """
        self.flush()
        while start < end:
            try:
                sent = offload(sendfile, self._sock.fileno(), file, start, end - start)
            except BlockingIOError:
                self._await_reader()
                continue
            if sent == 0:
                raise _reset("the file was truncated while it was sent")
            self._progress(sent)
            start += sent

    def _await_reader(self) -> None:
        try:
            began_s = monotonic()
            wait_write(self._sock.fileno(), STALL_S, TimeoutError())
            self._pace.waited(began_s)
        except TimeoutError:
            self._give_up()

    def shutdown(self, how: int) -> None:
        self.flush()
        self._sock.shutdown(how)

    def close(self) -> None:
        """As a socket's, but a client that still sends gets the chance to read its answer.

        Closing on unread bytes makes the kernel reset the connection, and that can overtake the answer.
        """
        if self._closed:
            return
        self._closed = True
        self._forget_head()
        try:
            self.flush()
            if self._client_sends:
                self._drain()
        except OSError:
            pass
        finally:
            self._sock.close()

    def _drain(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)
        left_bytes = DRAIN_BYTES
        with gevent.Timeout(DRAIN_S, False):
            while left_bytes > 0 and (data := self._sock.recv(65536)):
                left_bytes -= len(data)


def _reset(reason: str) -> ConnectionResetError:
    # gunicorn ends a connection quietly for this one.
    return ConnectionResetError(errno.ECONNRESET, reason)
