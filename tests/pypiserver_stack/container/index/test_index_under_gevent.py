"""The index beside a running event loop, with gevent patched as in a task."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A file server whose reads, or looks at the root, last until the test lets one go.
GEVENT = """
from gevent import monkey

monkey.patch_all()

import os
import sys
from pathlib import Path

import gevent
from pypiserver_stack.container.base.records import FileKey, PackageContent, RecordStore
from pypiserver_stack.container.base.system_calls import SystemCalls
from pypiserver_stack.container.index.package_index import PackageIndex

root = Path(sys.argv[1])
reading, writing = os.pipe()
waiting = []
opened = []

class Slow(SystemCalls):
    slow = ""

    def wait(self, what):
        if what == self.slow:
            waiting.append(what)
            assert os.read(reading, 1)

    def open(self, path, *arguments, **named):
        if path == root:
            opened.append(path)
            self.wait("root")
        return os.open(path, *arguments, **named)

    def read(self, *arguments):
        self.wait("read")
        return os.read(*arguments)

calls = Slow()
records = RecordStore(root, calls)
index = PackageIndex(root, records, margin_s=0.0, calls=calls)

def until(condition):
    while not condition():
        gevent.sleep(0.001)
    for _ in range(10):  # whoever else can run has run
        gevent.sleep(0)

def done(asking):
    gevent.joinall(asking, timeout=60, raise_error=True)
    assert all(greenlet.ready() for greenlet in asking)
    return [greenlet.value for greenlet in asking]
"""


def with_gevent(root: Path, body: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GEVENT + body, str(root)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def test_while_large_files_are_read_everybody_else_goes_on(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"large{number}-1.0.zip").write_bytes(b"large")
    (tmp_path / "known-1.0.zip").write_bytes(b"known")
    with_gevent(
        tmp_path,
        """
known = root / "known-1.0.zip"
records.put(known.name, FileKey.of(known.stat()), PackageContent("ab" * 32, None))
index.projects()
calls.slow = "read"
asking = [gevent.spawn(index.project_page, f"large{number}", True) for number in range(20)]
until(lambda: len(waiting) == 2)

(page,) = done([gevent.spawn(index.project_page, "known", True)])
assert b"ab" * 32 in page.body
assert len(waiting) == 2
assert not any(greenlet.ready() for greenlet in asking)

os.write(writing, b"." * 20)
assert all(page is not None for page in done(asking))
assert len(waiting) == 20
""",
    )


def test_a_large_file_is_read_by_one_for_all_who_ask(tmp_path: Path) -> None:
    (tmp_path / "large-1.0.zip").write_bytes(b"large")
    with_gevent(
        tmp_path,
        """
calls.slow = "read"
first = gevent.spawn(index.project_page, "large", True)
until(lambda: len(waiting) == 1)
asking = [gevent.spawn(index.project_page, "large", as_json) for as_json in [True, False] * 20]
gevent.sleep(0.05)
assert len(waiting) == 1
os.write(writing, b"." * 50)
assert all(page is not None for page in done([first, *asking]))
assert len(waiting) == 1
""",
    )


def test_a_file_that_moves_while_its_listing_waits_and_others_look_is_on_it(tmp_path: Path) -> None:
    (tmp_path / "a-1.0.zip").write_bytes(b"a")
    (tmp_path / "by-project").mkdir()
    with_gevent(
        tmp_path,
        """
calls.slow = "read"
first = gevent.spawn(index.project_page, "a", True)
until(lambda: len(waiting) == 1)
looks = len(opened)
second = gevent.spawn(index.project_page, "a", True)  # looks, and waits for the first
until(lambda: len(opened) > looks + 1)

(root / "by-project" / "a").mkdir()
(root / "a-1.0.zip").rename(root / "by-project" / "a" / "a-1.0.zip")
assert done([gevent.spawn(index.project_page, "b", True)]) == [None]

os.write(writing, b"." * 50)
pages = done([first, second])
assert all(page is not None and b"a-1.0.zip" in page.body for page in pages), pages
""",
    )


def test_who_asks_during_a_look_shares_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "a-1.0.zip").write_bytes(b"a")
    with_gevent(
        tmp_path,
        """
index.projects()
calls.slow = "root"
first = gevent.spawn(index.projects)
until(lambda: len(waiting) == 1)
(root / "b-1.0.zip").write_bytes(b"b")  # an upload that returned before these ask
asking = [gevent.spawn(index.projects) for _ in range(50)]
until(lambda: True)
assert len(waiting) == 1
os.write(writing, b"." * 50)
assert all("b" in projects for projects in done(asking))
looks = len(waiting)
assert looks <= 8, looks  # the first one's and theirs, four calls each
""",
    )
