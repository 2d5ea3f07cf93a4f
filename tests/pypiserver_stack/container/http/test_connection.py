"""What leaves a connection in one send, seen through sockets that keep sends apart."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
from collections.abc import Iterator

import gevent.socket
import pytest

from pypiserver_stack.container.http.connection import GATHER_BYTES, TURN_BYTES, Connection
from pypiserver_stack.container.http.unfinished_heads import UnfinishedHeads

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
REQUEST = object()


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection, and its client: each `recv` there is one send here."""
    served, client = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    server_socket = gevent.socket.socket(served.family, served.type, served.proto, served.detach())
    with (
        contextlib.closing(
            Connection(server_socket, 60, UnfinishedHeads(), lambda connection, data: False)
        ) as connection,
        client,
    ):
        yield connection, client


def received(client: socket.socket) -> bytes:
    return client.recv(1 << 20)


def nothing_received(client: socket.socket) -> bool:
    return select.select([client], [], [], 0)[0] == []


@pytest.mark.parametrize("size", [1, 1000, GATHER_BYTES])
def test_the_head_waits_for_the_first_piece(ends: tuple[Connection, socket.socket], size: int) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, False)
    connection.sendall(HEAD)
    assert nothing_received(client)
    connection.sendall(b"x" * size)
    assert received(client) == HEAD + b"x" * size
    connection.sendall(b"more")
    assert received(client) == b"more"


def test_a_large_piece_is_not_copied_behind_the_head(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, False)
    connection.sendall(HEAD)
    connection.sendall(b"x" * (GATHER_BYTES + 1))
    assert [received(client), received(client)] == [HEAD, b"x" * (GATHER_BYTES + 1)]


def test_an_empty_piece_lets_the_head_go(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, False)
    connection.sendall(HEAD)
    connection.sendall(b"")
    assert received(client) == HEAD


def test_a_head_without_a_body_leaves_at_the_end_of_the_answer(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    for _ in range(3):
        connection.begin_answer(REQUEST, False)
        connection.sendall(HEAD)
        connection.end_answer(next_began=False)
        assert received(client) == HEAD
        assert nothing_received(client)


def test_a_head_leaves_before_anything_is_read(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, True)
    connection.sendall(HEAD)
    client.sendall(b"body")
    assert connection.recv(100) == b"body"
    assert received(client) == HEAD


@pytest.mark.parametrize("end", ["close", "shutdown"])
def test_a_head_leaves_before_the_end(ends: tuple[Connection, socket.socket], end: str) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, False)
    connection.sendall(HEAD)
    if end == "close":
        connection.close()
    else:
        connection.shutdown(socket.SHUT_RDWR)
    assert received(client) == HEAD
    assert received(client) == b""


def test_the_word_to_go_on_with_a_body_leaves_at_once_and_the_head_still_waits(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, True)
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert received(client) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(HEAD)
    connection.sendall(b"body")
    assert received(client) == HEAD + b"body"


def test_what_is_no_answer_to_a_request_leaves_at_once(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.sendall(HEAD)
    assert received(client) == HEAD


def test_it_is_idle_until_the_first_byte_of_a_head(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    idle = [connection.idle_since_s is not None]
    client.sendall(b"G")
    connection.recv(100)
    idle.append(connection.idle_since_s is not None)
    for next_began in (False, True):
        connection.begin_answer(REQUEST, False)
        idle.append(connection.idle_since_s is not None)
        connection.end_answer(next_began)
        idle.append(connection.idle_since_s is not None)
    assert idle == [True, False, False, True, False, False]


def test_what_arrived_before_an_idle_connection_was_ended_is_still_read(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, client = ends
    reader = gevent.spawn(connection.recv, 100)
    gevent.sleep(0)  # the reader waits
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    connection.end_idle(longer_than_s=0)
    assert reader.get() == b"GET / HTTP/1.1\r\n\r\n"
    assert connection.recv(100) == b""


def test_a_connection_that_is_not_idle_for_so_long_goes_on(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.end_idle(longer_than_s=1000)
    client.sendall(b"G")
    connection.recv(100)
    connection.end_idle(longer_than_s=0)
    client.sendall(b"E")
    assert connection.recv(100) == b"E"


def test_the_end_is_read_once(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    client.close()
    assert connection.recv(100) == b""
    with pytest.raises(ConnectionResetError) as reset:
        connection.recv(100)
    assert reset.value.errno == errno.ECONNRESET


def test_a_client_that_sends_as_fast_as_it_is_read_leaves_turns_to_others(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, client = ends
    connection.begin_answer(REQUEST, True)
    turns: list[str] = []
    gevent.spawn(turns.append, "mine")
    for _ in range(TURN_BYTES // 65536 - 1):
        client.sendall(bytes(65536))
        connection.recv(65536)
    assert turns == []
    client.sendall(bytes(65536))
    connection.recv(65536)
    assert turns == ["mine"]
