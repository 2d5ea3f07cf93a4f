"""Samples of an instance: the script run on recorded files of /proc and on this machine's own, and what is read of it.

proc/ has meminfo, vmstat and stat of a Linux 6.18 machine, as they were. Its diskstats and mountstats are written in
the kernel's formats, for an instance with one NVMe disk and the EFS volumes of two tasks, one of them at two paths.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import psutil
import pytest

from bench.deployment.aws.observe import host_sampler
from bench.deployment.aws.observe.absence import Absence
from bench.deployment.aws.observe.host_sampler.samples import intervals, nfs_operations, read_samples
from bench.deployment.aws.observe.host_sampler.series import host_series, nfs_notes, oom_kills, read_texts

RECORDED = Path(__file__).parent / "proc"
SCRIPT = Path(str(files(host_sampler).joinpath("sampler.sh")))

Change = Callable[[str], str]


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A copy of the recorded files."""
    return Path(shutil.copytree(RECORDED, tmp_path / "proc"))


def _run(folder: Path, proc: Path | None = None, *, interval_s: float = 0.0, count: int = 1) -> str:
    """What the script writes."""
    environment = {**os.environ, **({"PROC": str(proc)} if proc else {})}
    file = folder / "samples"
    subprocess.run(["bash", SCRIPT, file, str(interval_s), str(count)], env=environment, check=True, timeout=60)
    return file.read_text()


def _two_samples(folder: Path, proc: Path, file: str, change: Change, after_s: float = 2.0) -> str:
    """A sample, a change of a file of /proc and of the time that has passed, and a sample so many seconds later."""
    first = _run(folder, proc)
    for name, changed in (("stat", _add("cpu", 0, 0, 0, 200)), (file, change)):
        path = proc / name
        path.write_text(changed(path.read_text()))
    second = _run(folder, proc).partition("\n")[2]
    at_s = float(re.findall(r"^sample (.*)$", first, re.MULTILINE)[0])
    return first + re.sub(r"^sample .*$", f"sample {at_s + after_s:.6f}", second, count=1, flags=re.MULTILINE)


def _add(name: str, *amounts: int) -> Change:
    """Adds to the numbers of the line that begins with a name."""

    def changed(text: str) -> str:
        lines = text.splitlines()
        index = next(i for i, line in enumerate(lines) if name in line.split()[:3])
        words = lines[index].split()
        first = words.index(name) + 1
        numbers = [int(word) + more for word, more in zip(words[first:], amounts, strict=False)]
        lines[index] = " ".join([*words[:first], *map(str, numbers), *words[first + len(numbers) :]])
        return "\n".join(lines) + "\n"

    return changed


def test_this_machine_is_read_as_psutil_reads_it(tmp_path: Path) -> None:
    samples = read_samples(_run(tmp_path, interval_s=0.2, count=3))
    assert len(samples) == 3
    memory = psutil.virtual_memory()
    assert samples[0].fields["MemTotal"][0] * 1024 == memory.total
    assert 0 < samples[0].memory_mb < memory.total / 2**20
    assert samples[0].swap_mb * 2**20 <= psutil.swap_memory().total
    assert samples[0].page_bytes == os.sysconf("SC_PAGESIZE")
    for one in intervals(samples):
        assert 0 <= one.cpu_percent <= 100
        assert 0 <= one.iowait_percent <= 100
        assert one.nfs_operations_per_s >= 0


def test_memory_is_what_is_not_available(tmp_path: Path, proc: Path) -> None:
    (proc / "meminfo").write_text(
        "MemTotal:  8000000 kB\nMemFree: 100000 kB\nMemAvailable: 4928000 kB\nSwapCached: 7 kB\n"
        "SwapTotal: 2097152 kB\nSwapFree: 1048576 kB\n"
    )
    (sample,) = read_samples(_run(tmp_path, proc))
    assert (sample.memory_mb, sample.swap_mb) == (3000, 1024)


def test_cpu_time_is_split_into_busy_idle_and_waiting(tmp_path: Path, proc: Path) -> None:
    # user nice system idle iowait irq softirq steal guest: 60 of 200 busy, 40 waiting; guests are within user
    text = _two_samples(tmp_path, proc, "stat", _add("cpu", 30, 10, 10, -100, 40, 0, 5, 5, 30))
    (one,) = intervals(read_samples(text))
    assert (one.cpu_percent, one.iowait_percent) == (30, 20)


def test_disks_are_counted_without_their_partitions(tmp_path: Path, proc: Path) -> None:
    sectors = _add("nvme0n1", 1, 0, 4096, 0, 1, 0, 8192)  # 2 MB read, 4 MB written
    text = _two_samples(tmp_path, proc, "diskstats", lambda old: _add("nvme0n1p1", 1, 0, 4096)(sectors(old)))
    (one,) = intervals(read_samples(text))
    assert one.read_mb_per_s == pytest.approx(1)
    assert one.written_mb_per_s == pytest.approx(2)


def test_swapping_is_counted_in_both_directions(tmp_path: Path, proc: Path) -> None:
    text = _two_samples(tmp_path, proc, "vmstat", lambda old: _add("pswpin", 256)(_add("pswpout", 256)(old)))
    (one,) = intervals(read_samples(text))
    page_mb = os.sysconf("SC_PAGESIZE") / 2**20
    assert one.swap_mb_per_s == pytest.approx(512 * page_mb / 2)


def test_kills_for_want_of_memory_are_counted(tmp_path: Path, proc: Path) -> None:
    text = _two_samples(tmp_path, proc, "vmstat", _add("oom_kill", 3))
    assert oom_kills(read_texts({"i-1": text})) == {"i-1": 3}


def test_nfs_operations_are_those_of_all_mounts_and_each_counts_once(tmp_path: Path, proc: Path) -> None:
    def grown(old: str) -> str:
        # GETATTR of the first task, whose file system is at two paths, and READ of the second.
        return old.replace("GETATTR: 1830 1830 0 412000 480000 9 1650", "GETATTR: 1930 1930 0 0 0 0 1850").replace(
            "READ: 70 70 0 20240 8212000 4 400", "READ: 90 90 0 0 0 0 460"
        )

    before, after = read_samples(_two_samples(tmp_path, proc, "1/mountstats", grown))
    assert len(before.mounts) == len(after.mounts) == 2
    (one,) = intervals([before, after])
    assert one.nfs_operations_per_s == pytest.approx(60)
    counts = {name: (of.count, of.round_trip_ms) for name, of in nfs_operations(before, after).items()}
    assert counts == {"GETATTR": (100, 200), "READ": (20, 60)}


def test_a_mount_that_began_anew_is_not_counted_backwards(tmp_path: Path, proc: Path) -> None:
    text = _two_samples(
        tmp_path,
        proc,
        "1/mountstats",
        lambda old: old.replace("READ: 70 70 0 20240 8212000 4 400", "READ: 5 5 0 0 0 0 9"),
    )
    before, after = read_samples(text)
    assert {name: of.count for name, of in nfs_operations(before, after).items()} == {"READ": 5}


def test_the_notes_name_operations_by_how_many_they_were(tmp_path: Path, proc: Path) -> None:
    text = _two_samples(
        tmp_path,
        proc,
        "1/mountstats",
        lambda old: old.replace("READ: 70 70 0 20240 8212000 4 400", "READ: 90 90 0 0 0 0 460"),
    )
    assert list(nfs_notes(read_texts({"i-1": text}))) == ["NFS operations of i-1: 20 READ of 3.0 ms"]


def test_a_sample_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    text = _run(tmp_path, count=2)
    for cut in range(text.index("sample"), len(text)):
        assert len(read_samples(text[:cut])) == text[:cut].count("\nend\n")


def test_each_metric_has_a_series_with_values(tmp_path: Path) -> None:
    found = list(host_series(read_texts({"i-1": _run(tmp_path, interval_s=0.2, count=4)})))
    assert {one.metric for one in found} >= {"instance_memory", "instance_swap", "instance_iowait", "nfs_operations"}
    assert all(one.absence is None and len(one.values) >= 3 and one.subject == "i-1" for one in found)


@pytest.mark.parametrize("text", ["", "page_size 4096\n", "bash: grep: command not found"])
def test_text_without_samples_is_a_reason_and_no_zero(text: str) -> None:
    found = list(host_series(read_texts({"i-1": text, "i-2": Absence("no permission for ssm:SendCommand")})))
    assert all(one.values == [] for one in found)
    assert {one.absence for one in found if one.subject == "i-2"} == {"no permission for ssm:SendCommand"}
    assert all("the sampler answered" in (one.absence or "") for one in found if one.subject == "i-1")
