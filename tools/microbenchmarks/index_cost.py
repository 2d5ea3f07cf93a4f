"""Cost of a listing from the validated index by the number of packages, and delay of the event loop by a scan.

    python -m tools.microbenchmarks index_cost [--files 300 3000 150000]

One process, patched by gevent as a worker is, over empty files of ten versions a project on the local disk. "listing"
is one project's page, from the request for it to its bytes, validation included; "scan" is a validation that reads the
whole directory; "stall" is the longest time that the event loop did not run meanwhile, of a greenlet that asks for one
millisecond. For comparison, one walk by pypiserver's simple-dir, of which it makes one for each listing and download.

"read" is the first listing of a project whose packages were copied in a while ago: 100 wheels, or 100 source
distributions with PKG-INFO at their end, of 100 kB each. Each is hashed, and read for what a listing says of it.
"""

# ruff: noqa: E402

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse
import io
import os
import resource
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import gevent
from gevent.monkey import get_original
from gevent.pool import Pool

from pypiserver_stack.common.entry_point import Arguments

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pypiserver.backend import listdir

from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.base.system_calls import SystemCalls
from pypiserver_stack.container.index.package_index import PackageIndex

MARGIN_S = 2.0
VERSIONS = 10
PROJECT = "project-3"
LISTINGS = 10_000
SLOW_LISTINGS = 2_000
AT_ONCE = 100
ADDED_S = 0.001
COPIED = 100
COPIED_BYTES = 100_000

sleep_in_thread: Callable[[float], None] = get_original("time", "sleep")


def main() -> None:
    parser = Arguments(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[300, 3_000, 150_000])
    for files in parser.parse_args().files:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            fill(root, files)
            print(f"\n{files} files")
            measure(root)
    print("\nfirst listing")
    measure_reading()


def fill(root: Path, files: int) -> None:
    for number in range(files):
        path = root / f"project_{number // VERSIONS}-1.{number % VERSIONS}.0-py3-none-any.whl"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def measure_reading() -> None:
    for kind in ("wheels", "source distributions"):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for number in range(COPIED):
                copy_in(root, kind, number)
            gevent.sleep(MARGIN_S * 1.5)  # a file of long ago is settled
            index = PackageIndex(root, RecordStore(root), margin_s=MARGIN_S)
            show(f"read of {COPIED} {kind}", timed(lambda: index.project_page("copied", as_json=True)))  # noqa: B023
            again = PackageIndex(root, RecordStore(root), margin_s=MARGIN_S)
            show("  by the next worker", timed(lambda: again.project_page("copied", as_json=True)))  # noqa: B023


def copy_in(root: Path, kind: str, number: int) -> None:
    metadata = f"Metadata-Version: 2.1\nName: copied\nVersion: 1.{number}\nRequires-Python: >=3.8\n".encode()
    if kind == "wheels":
        with zipfile.ZipFile(root / f"copied-1.{number}-py3-none-any.whl", "w") as archive:
            archive.writestr("copied.bin", os.urandom(COPIED_BYTES))
            archive.writestr(f"copied-1.{number}.dist-info/METADATA", metadata)
        return
    with tarfile.open(root / f"copied-1.{number}.tar.gz", "w:gz") as tar:
        for name, content in (("copied.bin", os.urandom(COPIED_BYTES)), ("PKG-INFO", metadata)):
            member = tarfile.TarInfo(f"copied-1.{number}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def measure(root: Path) -> None:
    resident_before = resident_mb()
    index = PackageIndex(root, RecordStore(root), margin_s=MARGIN_S)
    show("first scan", timed(index.projects))
    show("memory of the index", f"{resident_mb() - resident_before:.1f} MB")
    show("scan that finds nothing new", timed(index.projects))
    trust(index)
    show("listing, one after another", cpu_each(lambda: listing(index), LISTINGS, at_once=1))
    show(f"listing, {AT_ONCE} at once", cpu_each(lambda: listing(index), LISTINGS, at_once=AT_ONCE))
    show("of which the greenlets alone", cpu_each(lambda: None, LISTINGS, at_once=AT_ONCE))
    (root / "new-1.0.tar.gz").touch()
    show("scan after one upload", timed(index.projects))
    show("scan and new project's page", timed(lambda: index.project_page("new", as_json=True)))
    show("scan and root page", timed(lambda: index.root_page(as_json=True)))
    show("most memory of the process so far", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")

    slow = PackageIndex(root, RecordStore(root), margin_s=MARGIN_S, calls=SlowCalls())
    trust(slow)
    show(f"{ADDED_S * 1000:.0f} ms more a call: validation", timed(slow.projects))
    started_s = perf_counter()
    cpu_each(lambda: listing(slow), SLOW_LISTINGS, at_once=AT_ONCE)
    show(f"  listings/s, {AT_ONCE} at once", f"{SLOW_LISTINGS / (perf_counter() - started_s):.0f}")

    started_s = perf_counter()
    packages = sum(1 for _ in listdir(root))
    show("simple-dir: one walk", f"{(perf_counter() - started_s) * 1000:.1f} ms for {packages} packages")


def listing(index: PackageIndex) -> None:
    assert index.project_page(PROJECT, as_json=True) is not None


def trust(index: PackageIndex) -> None:
    """Ask until directory and files are trusted; the first record makes a folder, which is a change as well."""
    for _ in range(3):
        listing(index)
        gevent.sleep(MARGIN_S * 1.05)
    listing(index)


def timed(ask: Callable[[], Any]) -> str:
    gaps: list[float] = []

    def run() -> None:
        last_s = perf_counter()
        while True:
            gevent.sleep(0.001)
            gaps.append(perf_counter() - last_s)
            last_s += gaps[-1]

    ticking = gevent.spawn(run)
    gevent.sleep(0.01)
    gaps.clear()
    started_s, started_cpu_s = perf_counter(), process_time()
    ask()
    wall_s, cpu_s = perf_counter() - started_s, process_time() - started_cpu_s
    gevent.sleep(0.002)
    ticking.kill()
    return f"{wall_s * 1000:.2f} ms, CPU {cpu_s * 1000:.2f} ms, stall {max(gaps) * 1000 - 1:.1f} ms"


def cpu_each(ask: Callable[[], Any], count: int, *, at_once: int) -> str:
    pool = Pool(at_once)
    started_s = process_time()
    for _ in pool.imap_unordered(lambda _: ask(), range(count)):
        pass
    return f"CPU {(process_time() - started_s) / count * 1e6:.1f} us each"


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def show(what: str, figures: str) -> None:
    print(f"  {what:34}{figures}", flush=True)


class SlowCalls(SystemCalls):
    """File calls with the delays of a network."""

    def __getattribute__(self, name: str) -> Any:
        # Whoever takes a call makes it, in the same thread.
        if name in ("open", "close", "fstat", "stat", "scandir"):
            sleep_in_thread(ADDED_S)
        return super().__getattribute__(name)
