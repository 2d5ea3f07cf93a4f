"""gunicorn with the task's worker, over real sockets: whole answers, limits, and stops that lose nothing."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from urllib3 import encode_multipart_formdata

from pypiserver_stack.tasks.container_definition import GUNICORN_CONFIG
from pypiserver_stack.tasks.server_files import CONTAINER_FOLDER
from tests.pypiserver_stack.container.running_task import RunningTask, await_condition, start_task

MODULES = "from pypiserver_stack.container.entry import worker\nfrom pypiserver_stack.container.http import connection"
APP = Path(__file__).parent / "worker_app.py"
GET = "GET {} HTTP/1.1\r\nHost: index\r\n\r\n"
POST = "POST {} HTTP/1.1\r\nHost: index\r\nContent-Length: {}\r\n\r\n"
PATIENCE_S = 60


@contextlib.contextmanager
def started(folder: Path, limits: str = "", workers: int = 1, **environment: str) -> Iterator[RunningTask]:
    """A task with the application above; `limits` are statements, run before gunicorn forks its workers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "worker_app.py").write_text(f"{MODULES}\n{limits}\n{APP.read_text()}")
    app = "worker_app:application"
    with start_task(folder, packages=folder / "packages", workers=workers, app=app, **environment) as task:
        yield task


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    """One worker, with the limits that it has in production."""
    with started(tmp_path_factory.mktemp("task")) as task:
        yield task


def read_answer(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of an answer that says how long it is."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += (data := connection.recv(65536))
        assert data, f"ended after {answer!r}"
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += (data := connection.recv(65536))
        assert data, f"ended after {len(body)} of {length} bytes"
    assert len(body) == length, "more than one answer"
    return head, body


def read_to_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def drip_to_end(connection: socket.socket) -> None:
    """Send a byte now and then until the other side has had enough."""
    connection.settimeout(0.05)
    with contextlib.suppress(ConnectionError):
        while True:
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                assert connection.recv(1) == b""
                return


def get(connection: socket.socket, path: str) -> bytes:
    """The body of a 200."""
    connection.sendall(GET.format(path).encode())
    head, body = read_answer(connection)
    assert head.startswith(b"HTTP/1.1 200"), head
    return body


@pytest.mark.parametrize(
    ("method", "path", "end"),
    [
        ("GET", "/bytes/20000", b"\r\n\r\n" + b"x" * 20000),
        ("GET", "/bytes/0", b"\r\n\r\n"),
        ("HEAD", "/promised/7", b"\r\n\r\n"),
        ("GET", "/status/204", b"\r\n\r\n"),
        ("GET", "/status/303", b"\r\n\r\n"),
        ("GET", "/status/304", b"\r\n\r\n"),
        ("GET", "/refused", b"\r\n\r\ntoo large"),
    ],
)
def test_an_answer_comes_whole(task: RunningTask, method: str, path: str, end: bytes) -> None:
    with task.connect() as connection:
        for _ in range(20):
            connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: index\r\n\r\n".encode())
            answer = connection.recv(1 << 20)
            assert answer.startswith(b"HTTP/1.1 ")
            assert answer.endswith(end)


def test_answers_in_pieces_come_to_their_ends(task: RunningTask) -> None:
    with task.connect() as connection:
        assert get(connection, "/bytes/3000000") == b"x" * 3_000_000
        assert get(connection, "/generated") == b"onetwo"
        connection.sendall(GET.format("/chunked").replace("1.1", "1.0", 1).encode())
        assert read_to_end(connection).endswith(b"\r\n\r\nonetwo")
    assert requests.get(f"{task.url}/chunked", timeout=PATIENCE_S).content == b"onetwo"


def test_an_application_that_fails_is_a_500_and_one_that_fails_late_a_short_answer(task: RunningTask) -> None:
    with task.connect() as connection:
        connection.sendall(GET.format("/fails").encode())
        assert read_to_end(connection).startswith(b"HTTP/1.1 500 ")
    with task.connect() as connection:
        connection.sendall(GET.format("/fails/late").encode())
        assert read_to_end(connection).endswith(b"\r\n\r\nbegun")


def test_nothing_follows_an_answer_that_is_shorter_than_it_promised(task: RunningTask) -> None:
    with task.connect() as connection:
        connection.sendall((GET.format("/promised/10") + GET.format("/bytes/20")).encode())
        assert read_to_end(connection).endswith(b"\r\n\r\nbegun")


def test_pipelined_requests_are_answered_in_order(task: RunningTask) -> None:
    sizes = [1, 50_000, 0, 7, 300_000]
    with task.connect() as connection:
        connection.sendall("".join(GET.format(f"/bytes/{size}") for size in sizes).encode())
        connection.shutdown(socket.SHUT_WR)
        answers = read_to_end(connection)
    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert [len(body) for body in bodies] == sizes


def test_a_client_that_waits_for_the_word_sends_its_body_then(task: RunningTask) -> None:
    with task.connect() as connection:
        connection.sendall(POST.format("/upload", "4\r\nExpect: 100-continue").encode())
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert read_answer(connection)[1].decode() == hashlib.sha256(b"body").hexdigest()


@pytest.mark.parametrize("size", [100_000, 128_000_000])
def test_a_refused_body_is_not_taken_and_its_client_sees_why(task: RunningTask, tmp_path: Path, size: int) -> None:
    with (tmp_path / "body").open("w+b") as body:
        body.truncate(size)
        answer = requests.post(f"{task.url}/refused", data=body, timeout=PATIENCE_S)
        taken = body.tell()
    assert (answer.status_code, answer.text) == (413, "too large")
    assert answer.headers["Connection"] == "close"
    assert taken == size if size < 1_000_000 else taken < size / 2


def test_the_next_request_never_waits_for_an_unread_body(task: RunningTask) -> None:
    with task.connect() as connection:
        connection.sendall(POST.format("/refused", 1_000_000_000).encode())
        assert read_answer(connection)[1] == b"too large"
        assert connection.recv(1) == b""  # the server's side is closed, though not a byte of the body was sent


@pytest.mark.parametrize(
    "announced",
    ["Transfer-Encoding: xchunked", "Transfer-Encoding: chunked", "Content-Length: 3", "Sec-WebSocket-Key1: x"],
)
def test_what_stands_in_a_body_is_never_taken_for_a_request(task: RunningTask, announced: str) -> None:
    hidden = GET.format("/bytes/1")
    with task.connect() as connection:
        connection.sendall(f"POST /bytes/2 HTTP/1.1\r\n{announced}\r\n\r\n0\r\n\r\n{hidden}".encode())
        answer = read_to_end(connection)
    # Newer gunicorns refuse codings that they do not know.
    refused = announced.endswith("xchunked") and answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert refused or answer.partition(b"\r\n\r\n")[2] == b"xx"
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_client_cannot_speak_for_the_balancer(task: RunningTask) -> None:
    headers = {"X-Forwarded-For": "1.2.3.4", "X_Forwarded_For": "5.6.7.8", "SCRIPT_NAME": "/forwarded"}
    assert task.request("GET", "/forwarded/for", headers=headers)[2] == b"1.2.3.4"


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        # Of two, the second is that of newer gunicorns.
        (f"GET / HTTP/1.1\r\nX-Long: {'x' * 20_000}\r\n\r\n", (400, 431)),
        (f"GET /{'x' * 1_000_000} HTTP/1.1\r\n\r\n", (400, 414)),
        ("GET / HTTP/1.1\r\n" + "".join(f"X-{i}: x\r\n" for i in range(100)) + "\r\n", (400, 431)),
        ("GET / HTTP/1.1\r\n" + "".join(f"X-{i}: {'x' * 16_000}\r\n" for i in range(5)) + "\r\n", (431,)),
        ("GET / HTTP/1.1\r\nX-Endless: " + "x" * 2_000_000, (431,)),
        ("no request\r\n\r\n", (400,)),
    ],
    ids=["line", "path", "many", "together", "no end", "nonsense"],
)
def test_a_head_beyond_the_limits_is_refused_and_others_go_on(
    task: RunningTask, head: str, statuses: tuple[int, ...]
) -> None:
    with task.connect() as other, task.connect() as connection:
        connection.sendall(head.encode())
        assert read_to_end(connection).startswith(tuple(f"HTTP/1.1 {status} ".encode() for status in statuses))
        assert get(other, "/bytes/1") == b"x"


@pytest.mark.parametrize("value", ["x" * 16_000, "x" * 8_190])
def test_what_the_balancer_lets_through_is_taken(task: RunningTask, value: str) -> None:
    lines = {f"X-{i}": value for i in range(64_000 // len(value))}
    assert task.request("GET", "/bytes/1", headers=lines)[0] == 200


def test_each_head_of_a_connection_is_measured_by_itself(task: RunningTask) -> None:
    long_head = GET.format("/bytes/1").replace("Host", "".join(f"X-{i}: {'x' * 15_000}\r\n" for i in range(4)) + "Host")
    with task.connect() as connection:
        for _ in range(3):
            connection.sendall(long_head.encode())
            assert read_answer(connection)[1] == b"x"


def test_a_slow_head_stops_nobody_and_is_ended_however_steadily_it_drips(tmp_path: Path) -> None:
    with (
        started(tmp_path, "connection.HEAD_S = 0.5", GUNICORN_KEEPALIVE_S="4000") as task,
        task.connect() as idle,
        task.connect() as slow,
        task.connect() as dripping,
    ):
        for connection in (slow, dripping):
            connection.sendall(b"GET / HTTP/1.1\r\nX-")
            assert get(idle, "/bytes/1") == b"x"
        drip_to_end(dripping)
        assert slow.recv(1) == b""
        assert get(idle, "/bytes/1") == b"x"  # idle for longer than a head may take


def test_an_idle_connection_is_ended_after_the_keepalive(tmp_path: Path) -> None:
    with (
        started(tmp_path, GUNICORN_KEEPALIVE_S="1") as task,
        task.connect() as used,
        task.connect() as unused,
    ):
        assert get(used, "/bytes/1") == b"x"
        assert used.recv(1) == b""
        assert unused.recv(1) == b""


def test_a_body_that_stalls_ends_its_connection_alone(tmp_path: Path) -> None:
    with (
        started(tmp_path, "connection.STALL_S = 0.5") as task,
        task.connect() as other,
        task.connect() as stalled,
        task.connect() as chunked,
    ):
        stalled.sendall(POST.format("/upload", 1000).encode() + b"half")
        chunked.sendall(b"POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha")
        assert get(other, "/bytes/1") == b"x"
        assert stalled.recv(1) == b""
        assert chunked.recv(1) == b""
        assert get(other, "/bytes/1") == b"x"


def test_a_client_that_reads_nothing_is_let_go(tmp_path: Path) -> None:
    with started(tmp_path, "connection.STALL_S = 0.5") as task, task.connect() as other, task.connect() as deaf:
        deaf.sendall(GET.format("/endless").encode())
        await_condition((tmp_path / "closed").exists)
        assert get(other, "/bytes/1") == b"x"
        with pytest.raises(ConnectionResetError):
            read_to_end(deaf)


SLOW = "from pypiserver_stack.container.http import pace\npace.GRACE_S = 0.5\npace.MIN_BYTES_PER_S = 10**9"


def test_a_client_that_reads_too_slowly_is_let_go_however_steadily_it_reads(tmp_path: Path) -> None:
    with started(tmp_path, SLOW) as task, task.connect() as other, task.connect() as slow:
        slow.sendall(GET.format("/endless").encode())
        while not (tmp_path / "closed").exists():
            slow.recv(65536)
            time.sleep(0.01)
        assert get(other, "/bytes/1") == b"x"


def test_a_body_that_comes_too_slowly_ends_its_connection_however_steadily_it_drips(tmp_path: Path) -> None:
    with started(tmp_path, SLOW) as task, task.connect() as other, task.connect() as slow:
        slow.sendall(POST.format("/upload", 10**6).encode())
        drip_to_end(slow)
        assert get(other, "/bytes/1") == b"x"


def test_what_the_server_takes_for_an_answer_is_no_pace_of_its_client(tmp_path: Path) -> None:
    with started(tmp_path, SLOW) as task, task.connect() as waiting:
        waiting.sendall(GET.format("/when/now").encode())
        await_condition((tmp_path / "now.awaited").exists)
        time.sleep(1)
        (tmp_path / "now").touch()
        assert read_answer(waiting)[1] == b"now"


def test_requests_that_are_sent_all_at_once_take_turns_with_those_of_others(task: RunningTask) -> None:
    """Few enough for all answers to fit into the buffers: nothing else makes the worker turn to others."""
    with task.connect() as burst, task.connect() as other:
        burst.sendall(GET.format("/bytes/3").encode() * 500)
        assert burst.recv(12) == b"HTTP/1.1 200"
        assert get(other, "/bytes/1") == b"x"
        answered = sum(line["path"] == "/bytes/3" for line in task.access_log())
        assert answered < 500
        burst.shutdown(socket.SHUT_WR)
        assert read_to_end(burst).count(b"xxx") == 500


def test_heads_that_do_not_end_are_bounded_in_sum(tmp_path: Path) -> None:
    limits = "from pypiserver_stack.container.http import unfinished_heads\nunfinished_heads.MAX_BYTES = 100_000"
    with started(tmp_path, limits) as task, ExitStack() as stack:
        heads = [stack.enter_context(task.connect()) for _ in range(4)]
        for head in heads[:3]:
            head.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 30_000)
            assert task.request("GET", "/bytes/1")[0] == 200  # what was sent before has been read
        heads[3].sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 30_000)
        refusal = read_to_end(heads[3])
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After" in refusal
        # Those that have ended, or have gone, count no more.
        heads[0].sendall(b"\r\n\r\n")
        heads[0].recv(1)
        heads[1].close()
        with task.connect() as late:
            late.sendall(b"GET /bytes/1 HTTP/1.1\r\nHost: index\r\nX: " + b"x" * 15_000)
            assert task.request("GET", "/bytes/1")[0] == 200
            late.sendall(b"\r\n\r\n")
            assert read_answer(late)[1] == b"x"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"4;" + b"x" * 200_000 + b"\r\nbody\r\n0\r\n\r\n", id="extension"),
        pytest.param(b"4\r\nbody\r\n0\r\n" + b"X: y\r\n" * 40_000 + b"\r\n", id="trailers"),
    ],
)
def test_what_surrounds_chunks_is_bounded(task: RunningTask, body: bytes) -> None:
    with task.connect() as connection:
        connection.sendall(b"POST /upload HTTP/1.1\r\nHost: index\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            connection.sendall(body)
        with contextlib.suppress(ConnectionError):
            assert b" 200 " not in read_to_end(connection)
    assert task.request("GET", "/bytes/1")[0] == 200


def test_chunks_with_short_extensions_and_trailers_are_taken(task: RunningTask) -> None:
    with task.connect() as connection:
        head = b"POST /upload HTTP/1.1\r\nHost: index\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"4;name=value\r\nbody\r\n0\r\nX-Checksum: 1\r\n\r\n")
        assert read_answer(connection)[1].decode() == hashlib.sha256(b"body").hexdigest()


def test_a_client_that_goes_in_mid_chunk_leaves_no_spinning_worker(task: RunningTask) -> None:
    with task.connect() as other, task.connect() as gone:
        gone.sendall(b"POST /upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody")
        gone.shutdown(socket.SHUT_WR)
        assert b" 200 " not in read_to_end(gone)
        assert get(other, "/bytes/1") == b"x"


def test_2000_idle_connections_cost_others_nothing(task: RunningTask) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        connections = [stack.enter_context(task.connect()) for _ in range(2000)]
        for connection in connections[::2]:
            assert get(connection, "/bytes/1") == b"x"
        with task.connect() as late:
            assert get(late, "/bytes/20000") == b"x" * 20_000
        assert get(connections[-1], "/bytes/1") == b"x"


def test_connections_beyond_the_limit_of_all_workers_wait_their_turn(tmp_path: Path) -> None:
    crowded = "worker.CROWDED_IDLE_S = 3600"
    with started(tmp_path, crowded, workers=2, GUNICORN_WORKER_CONNECTIONS="10") as task, ExitStack() as stack:
        first = [stack.enter_context(task.connect()) for _ in range(20)]
        assert len({get(connection, "/process") for connection in first}) == 2
        waiting = [stack.enter_context(task.connect()) for _ in range(100)]
        for connection in waiting:
            connection.sendall(GET.format("/bytes/2").encode())
        for connection in first:
            assert get(connection, "/bytes/1") == b"x"  # those that have their place go on
        assert select.select(waiting, [], [], 0)[0] == []
        for connection in first:
            connection.close()
        for connection in waiting:
            assert read_answer(connection)[1] == b"xx"
            connection.close()


def test_idle_connections_give_their_places_to_those_that_wait(tmp_path: Path) -> None:
    """A balancer keeps connections that it has no use for; a request on a new one must not wait for their end."""
    with started(tmp_path, GUNICORN_KEEPALIVE_S="4000", GUNICORN_WORKER_CONNECTIONS="10") as task, ExitStack() as stack:
        unused, busy, *idle = (stack.enter_context(task.connect()) for _ in range(10))
        for connection in idle:
            assert get(connection, "/bytes/1") == b"x"
        busy.sendall(GET.format("/when/released").encode())
        await_condition((tmp_path / "released.awaited").exists)
        for _ in range(3):
            waiting = [stack.enter_context(task.connect()) for _ in range(9)]
            for connection in waiting:
                connection.sendall(GET.format("/bytes/2").encode())
            for connection in waiting:
                assert read_answer(connection)[1] == b"xx"
        assert {connection.recv(1) for connection in [unused, *idle]} == {b""}
        (tmp_path / "released").touch()
        assert read_answer(busy)[1] == b"released"


def test_a_stop_loses_no_request_and_waits_for_no_idle_connection(tmp_path: Path) -> None:
    with started(tmp_path, "connection.HEAD_S = 60", GUNICORN_KEEPALIVE_S="4000") as task, ExitStack() as stack:
        idle = [stack.enter_context(task.connect()) for _ in range(200)]
        for connection in idle[::2]:
            assert get(connection, "/bytes/1") == b"x"
        waiting, half_sent, half_head = (stack.enter_context(task.connect()) for _ in range(3))
        waiting.sendall(GET.format("/when/stopping").encode())
        await_condition((tmp_path / "stopping.awaited").exists)
        half_sent.sendall(POST.format("/upload", 4).encode() + b"bo")
        half_head.sendall(b"GET /bytes/1 HTTP/1.1\r\nHost:")
        assert get(idle[0], "/bytes/1") == b"x"  # all that was sent before has been read
        task.process.terminate()
        for connection in idle:
            assert connection.recv(1) == b""
        (tmp_path / "stopping").touch()
        half_sent.sendall(b"dy")
        half_head.sendall(b" index\r\n\r\n")
        for connection, body in (
            (waiting, b"stopping"),
            (half_sent, hashlib.sha256(b"body").hexdigest().encode()),
            (half_head, b"x"),
        ):
            head, answer = read_answer(connection)
            assert answer == body
            assert b"\r\nConnection: close" in head
            assert connection.recv(1) == b""
        assert task.process.wait(PATIENCE_S) == 0
        assert "ERROR" not in task.log()


def test_a_stop_takes_no_time_worth_naming_for_idle_connections(tmp_path: Path) -> None:
    """Against what requests under way are given: anything near that would be noticed at each deployment."""
    with started(tmp_path, GUNICORN_KEEPALIVE_S="4000") as task, ExitStack() as stack:
        for _ in range(20):
            assert get(stack.enter_context(task.connect()), "/bytes/1") == b"x"
            stack.enter_context(task.connect())
        began_s = time.monotonic()
        assert task.stop() == 0
        assert time.monotonic() - began_s < configured("graceful_timeout") / 2


def configured(name: str) -> int:
    """A whole number of gunicorn's configuration, read as the task reads it: in a process that it may patch."""
    program = f"import runpy; print(runpy.run_path({str(CONTAINER_FOLDER.parents[1] / GUNICORN_CONFIG)!r})[{name!r}])"
    environment = {"GUNICORN_WORKERS": "1", "GUNICORN_KEEPALIVE_S": "75", "GUNICORN_WORKER_CONNECTIONS": "100"}
    return int(subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True).stdout)


HURRIED_CLOCK = """
import time
connection.monotonic = lambda: time.monotonic() * 100_000
connection.HEAD_S = 1_000_000
worker.IDLE_LINGER_S = 5
"""


def test_requests_that_arrive_after_the_signal_are_answered(tmp_path: Path) -> None:
    with started(tmp_path, HURRIED_CLOCK) as task, task.connect() as idle, task.connect() as busy:
        assert get(idle, "/bytes/1") == b"x"
        task.process.terminate()  # by that clock, it has been idle for long
        for connection in (busy, idle):
            head = b""
            while b"\r\nConnection: close" not in head:
                connection.sendall(GET.format("/bytes/1").encode())
                head, body = read_answer(connection)
                assert body == b"x"
            assert connection.recv(1) == b""
        assert task.process.wait(PATIENCE_S) == 0


def test_a_killed_worker_is_replaced_and_others_go_on(tmp_path: Path) -> None:
    with started(tmp_path, workers=2) as task, ExitStack() as stack:
        by_worker: dict[int, socket.socket] = {}
        while len(by_worker) < 2:
            connection = stack.enter_context(task.connect())
            by_worker.setdefault(int(get(connection, "/process")), connection)
        (victim, of_victim), (survivor, of_survivor) = by_worker.items()
        of_victim.sendall(GET.format("/when/never").encode())
        await_condition((tmp_path / "never.awaited").exists)
        os.kill(victim, signal.SIGKILL)
        assert ended(of_victim)
        assert int(get(of_survivor, "/process")) == survivor
        await_condition(lambda: len(set(task.worker_pids()) - {victim}) == 2)
        await_condition(lambda: int(task.request("GET", "/process")[2]) not in by_worker)


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


PYPISERVER = """
import os
import pypiserver

application = pypiserver.app(
    roots=[os.environ["PYPISERVER_PACKAGES"]], authenticate=[], password_file=".", disable_fallback=True
)
"""


def test_20_interleaved_uploads_through_one_worker_arrive_each_whole(tmp_path: Path) -> None:
    folder, packages, pieces = tmp_path / "task", tmp_path / "packages", 10
    folder.mkdir()
    (folder / "plain.py").write_text(PYPISERVER)
    files = {f"package_{i}-1.0.tar.gz": os.urandom(300_000 + i) for i in range(20)}
    with start_task(folder, packages=packages, app="plain:application") as task, ExitStack() as stack:
        uploads = []
        for name, content in files.items():
            body, content_type = encode_multipart_formdata({":action": "file_upload", "content": (name, content)})
            connection = stack.enter_context(task.connect())
            connection.sendall(POST.format("/", f"{len(body)}\r\nContent-Type: {content_type}").encode())
            uploads.append((connection, body))
        for piece in range(pieces):
            for connection, body in uploads:
                size = len(body) // pieces + 1
                connection.sendall(body[piece * size : (piece + 1) * size])
            task.request("GET", "/health")  # all pieces sent so far have been read
        answers = [read_answer(connection)[0].split(b"\r\n")[0] for connection, _ in uploads]
    assert answers == [b"HTTP/1.1 200 OK"] * 20
    assert {path.name: path.read_bytes() for path in packages.iterdir()} == files
