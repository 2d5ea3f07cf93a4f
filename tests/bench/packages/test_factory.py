"""The wheels, their cache, and what becomes of both when something breaks."""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import json
import logging
import os
import shutil
import signal
import statistics
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

import bench
from bench.common.failures import BenchError, DiskFullError, ExitCode, UsageError
from bench.packages.factory import PackageSet, Wheel, build, cache_dir_or, default_cache_dir, export, make_export_folder

IMPORT_ROOT = Path(bench.__file__).parent.parent
SMALL = PackageSet(packages=4, max_bytes=20_000)
MARK = "PYPISERVER_BENCH_TEST_MARK"

# What a program that uses the factory looks like: signals raise an exception in its main thread, at any moment.
PROGRAM = """
import json, signal, sys
from pathlib import Path
from bench.packages.factory import PackageSet, build

class Interrupted(BaseException):
    pass

def interrupt(number, frame):
    signal.signal(number, signal.SIG_IGN)
    raise Interrupted

signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGTERM, interrupt)
try:
    print("started", flush=True)
    request = PackageSet(**json.loads(sys.argv[2]))
    wheels = build(request, Path(sys.argv[1]), lambda done, total: print(done, flush=True))
    print(json.dumps([wheel.sha256 for wheel in wheels]))
except Interrupted:
    sys.exit(130)
"""


@pytest.fixture(scope="module")
def small_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds `SMALL`."""
    cache = tmp_path_factory.mktemp("small")
    build(SMALL, cache)
    return cache


@pytest.fixture
def cache(small_cache: Path, tmp_path: Path) -> Path:
    """A cache that holds `SMALL`, for a test to spoil."""
    return Path(shutil.copytree(small_cache, tmp_path / "cache"))


def bytes_of(wheels: tuple[Wheel, ...]) -> dict[str, bytes]:
    return {wheel.filename: wheel.path.read_bytes() for wheel in wheels}


def start_program(cache: Path, request: dict[str, object], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(cache), json.dumps(request)],
        env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def marked(mark: str) -> list[psutil.Process]:
    """The processes whose environment carries a mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


class TestWheels:
    def test_the_plan_s_hundred_packages_in_three_versions(self, tmp_path: Path) -> None:
        wheels = build(PackageSet(max_bytes=2048), tmp_path)
        assert len(wheels) == len({wheel.path for wheel in wheels}) == 300
        assert [(wheel.name, wheel.version) for wheel in wheels[:4]] == [
            ("test-package-000", "1.0.0"),
            ("test-package-000", "1.1.0"),
            ("test-package-000", "2.0.0"),
            ("test-package-001", "1.0.0"),
        ]
        assert wheels[-1].filename == "test_package_099-2.0.0-py3-none-any.whl"

    def test_a_wheel_says_what_its_file_is(self, small_cache: Path) -> None:
        for wheel in build(SMALL, small_cache):
            content = wheel.path.read_bytes()
            assert wheel.size_bytes == len(content)
            assert wheel.sha256 == hashlib.sha256(content).hexdigest()

    def test_a_wheel_is_valid_and_carries_noise(self, small_cache: Path) -> None:
        wheel = build(SMALL, small_cache)[0]
        with zipfile.ZipFile(wheel.path) as archive:
            assert archive.testzip() is None
            # What deflate makes of the same bytes differs between versions of zlib.
            assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
            members = {name: archive.read(name) for name in archive.namelist()}
        dist_info = "test_package_000-1.0.0.dist-info"
        metadata = HeaderParser().parsestr(members[f"{dist_info}/METADATA"].decode())
        assert (metadata["Name"], metadata["Version"]) == ("test-package-000", "1.0.0")
        assert metadata["Requires-Python"] == ">=3.8"
        assert "Tag: py3-none-any" in members[f"{dist_info}/WHEEL"].decode().splitlines()
        record = {name: digest for name, digest, _ in csv.reader(members[f"{dist_info}/RECORD"].decode().splitlines())}
        assert record.keys() == members.keys()
        for name in record.keys() - {f"{dist_info}/RECORD"}:
            encoded = base64.urlsafe_b64encode(hashlib.sha256(members[name]).digest()).decode().rstrip("=")
            assert record[name] == f"sha256={encoded}"
        data = members["test_package_000/data.bin"]
        assert SMALL.min_bytes <= len(data) <= SMALL.max_bytes
        assert len(zlib.compress(data)) >= len(data)

    @pytest.mark.parametrize(
        ("distribution", "median_bytes"), [("log-uniform", (10 * 100_000) ** 0.5), ("uniform", (10 + 100_000) / 2)]
    )
    def test_sizes_follow_the_distribution(self, distribution: str, median_bytes: float, tmp_path: Path) -> None:
        request = PackageSet(50, min_bytes=10, max_bytes=100_000, size_distribution=distribution)  # type: ignore[arg-type]
        sizes = []
        for wheel in build(request, tmp_path):
            with zipfile.ZipFile(wheel.path) as archive:
                sizes.append(archive.getinfo(f"{wheel.name.replace('-', '_')}/data.bin").file_size)
        assert 10 <= min(sizes) <= max(sizes) <= 100_000
        assert median_bytes / 2 < statistics.median(sizes) < median_bytes * 2

    def test_every_size_can_be_the_same(self, tmp_path: Path) -> None:
        for distribution in ("log-uniform", "uniform"):
            request = PackageSet(2, min_bytes=5001, max_bytes=5001, size_distribution=distribution)
            for wheel in build(request, tmp_path):
                with zipfile.ZipFile(wheel.path) as archive:
                    assert archive.getinfo(f"{wheel.name.replace('-', '_')}/data.bin").file_size == 5001

    def test_another_machine_makes_the_same_bytes(self, small_cache: Path, tmp_path: Path) -> None:
        here = [wheel.sha256 for wheel in build(SMALL, small_cache)]
        elsewhere = start_program(
            tmp_path / "elsewhere",
            {"packages": 4, "max_bytes": 20_000},
            TZ="Pacific/Auckland",
            PYTHONHASHSEED="7",
            SOURCE_DATE_EPOCH="1000000000",
            LC_ALL="C",
        )
        output, _ = elsewhere.communicate()
        assert json.loads(output.splitlines()[-1]) == here

    def test_more_packages_leave_the_first_as_they_are(self, small_cache: Path, tmp_path: Path) -> None:
        few = bytes_of(build(SMALL, small_cache))
        many = bytes_of(build(PackageSet(packages=5, max_bytes=20_000), tmp_path))
        assert few.items() < many.items()

    def test_another_seed_makes_other_bytes(self, small_cache: Path, tmp_path: Path) -> None:
        other = {wheel.sha256 for wheel in build(PackageSet(packages=4, max_bytes=20_000, seed=1), tmp_path)}
        assert other.isdisjoint(wheel.sha256 for wheel in build(SMALL, small_cache))

    @pytest.mark.parametrize(
        "install",
        [
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"],
            [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--python", sys.executable],
        ],
        ids=["pip", "uv"],
    )
    def test_installers_take_them(self, install: list[str], small_cache: Path, tmp_path: Path) -> None:
        (tmp_path / "wheels").mkdir()
        export(build(SMALL, small_cache), tmp_path / "wheels")
        command = [*install, "--no-index", f"--find-links={tmp_path}/wheels", f"--target={tmp_path}/site"]
        environment = {**os.environ, "HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "uv")}
        subprocess.run([*command, "test-package-000", "test-package-001<2"], check=True, env=environment)
        program = "import test_package_000 as a, test_package_001 as b; print(a.__version__, b.__version__)"
        versions = subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        )
        assert versions.stdout == "2.0.0 1.1.0\n"


class TestRequest:
    def test_the_digest_is_that_of_all_that_is_asked_for(self) -> None:
        requests = [
            PackageSet(),
            PackageSet(packages=101),
            PackageSet(versions=("1.0.0", "1.1.0")),
            PackageSet(seed=1),
            PackageSet(min_bytes=1025),
            PackageSet(max_bytes=1024),
            PackageSet(size_distribution="uniform"),
            PackageSet(name_prefix="other"),
        ]
        assert len({request.digest() for request in requests}) == len(requests)
        assert PackageSet().digest() == PackageSet(100).digest()
        int(PackageSet().digest(), 16)

    @pytest.mark.parametrize(
        ("mistake", "said"),
        [
            ({"packages": 0}, "packages is 0: ask for at least 1"),
            ({"versions": ()}, "versions is empty"),
            ({"versions": ("1.0", "1.0")}, "versions is 1.0, 1.0: give at least one, and each once"),
            ({"versions": ("1.0-beta",)}, "'1.0-beta' is no version for a test package"),
            ({"versions": ("01.0",)}, "'01.0' is no version for a test package"),
            ({"min_bytes": 0}, "from 0 to 5242880 bytes"),
            ({"min_bytes": 10, "max_bytes": 9}, "from 10 to 9 bytes"),
            ({"name_prefix": "Test_Package"}, "'Test_Package' is no prefix for names"),
            ({"name_prefix": "../x"}, "'../x' is no prefix for names"),
        ],
    )
    def test_what_cannot_be_made_is_refused(self, mistake: dict[str, object], said: str) -> None:
        with pytest.raises(UsageError) as caught:
            PackageSet(**mistake)  # type: ignore[arg-type]
        assert said in str(caught.value)

    def test_the_cache_is_where_the_desktop_convention_has_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
        assert default_cache_dir() == Path("/somewhere/pypiserver-bench")
        monkeypatch.setenv("HOME", str(tmp_path))
        for unusable in ("", "relative"):
            monkeypatch.setenv("XDG_CACHE_HOME", unusable)
            assert default_cache_dir() == tmp_path / ".cache" / "pypiserver-bench"

    def test_a_cache_that_others_may_write_is_not_used(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        cache = tmp_path / "pypiserver-bench"
        cache.mkdir()
        cache.chmod(0o777)
        with pytest.raises(UsageError, match="may be written by other users"):
            default_cache_dir()
        notes: list[str] = []
        assert cache_dir_or(tmp_path / "other", notes.append) == tmp_path / "other"
        assert "packages are not kept for the next run" in notes[0]

    @pytest.mark.parametrize(
        ("home", "why"),
        [
            (None, "there is no HOME"),
            ("/nonexistent", "/nonexistent cannot be used (No such file or directory)"),
            ("/proc", "/proc/.cache"),
        ],
    )
    def test_without_a_home_packages_are_kept_for_one_run(
        self, home: str | None, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.delenv("HOME", raising=False)
        if home is not None:
            monkeypatch.setenv("HOME", home)

        def nobody(uid: int) -> NoReturn:
            raise KeyError(uid)

        monkeypatch.setattr("pwd.getpwuid", nobody)
        notes: list[str] = []
        assert cache_dir_or(tmp_path, notes.append) == tmp_path
        (note,) = notes
        assert note.startswith(f"packages are not kept for the next run: {why}")
        assert note.endswith("set XDG_CACHE_HOME")


class TestCache:
    def test_a_second_run_builds_nothing(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        progress: list[tuple[int, int]] = []
        wheels = build(SMALL, cache, lambda done, total: progress.append((done, total)))
        assert len(wheels) == 12
        assert progress == [(12, 12)]

    def test_progress_counts_every_wheel(self, tmp_path: Path) -> None:
        progress: list[tuple[int, int]] = []
        build(SMALL, tmp_path, lambda done, total: progress.append((done, total)))
        assert progress == [(done, 12) for done in range(13)]

    @pytest.mark.parametrize(
        ("spoil", "rebuilt"),
        [
            (lambda wheel: wheel.unlink(), 1),
            (lambda wheel: os.truncate(wheel, 100), 1),
            (lambda wheel: os.truncate(wheel, 0), 1),
            (lambda wheel: wheel.write_bytes(wheel.read_bytes()[:-1] + b"\x01"), 1),
            (lambda wheel: (wheel.parent / "manifest.json").unlink(), 12),
            (lambda wheel: os.truncate(wheel.parent / "manifest.json", 100), 12),
            (lambda wheel: (wheel.parent / "manifest.json").write_text("[]"), 12),
        ],
        ids=["missing", "shorter", "empty", "one byte", "no manifest", "half a manifest", "another manifest"],
    )
    def test_damage_is_noticed_and_repaired(
        self, spoil: Callable[[Path], object], rebuilt: int, cache: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = build(SMALL, cache)
        contents = bytes_of(before)
        inodes = {wheel.path: wheel.path.stat().st_ino for wheel in before}
        spoil(before[5].path)
        with caplog.at_level(logging.WARNING):
            after = build(SMALL, cache)
        assert after == before
        assert bytes_of(after) == contents
        assert [record.getMessage() for record in caplog.records] == [
            f"the package cache {before[5].path.parent} is damaged: building {rebuilt} of 12 again"
        ]
        if rebuilt == 1:
            untouched = before[:5] + before[6:]
            assert all(wheel.path.stat().st_ino == inodes[wheel.path] for wheel in untouched)

    def test_a_first_run_warns_of_nothing(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        build(PackageSet(1, max_bytes=2000), tmp_path)
        assert not caplog.records

    def test_two_runs_at_once_share_the_work(self, tmp_path: Path) -> None:
        request: dict[str, object] = {"packages": 12, "max_bytes": 200_000}
        runs = [start_program(tmp_path, request) for _ in range(3)]
        outputs = [run.communicate()[0].splitlines() for run in runs]
        assert [run.returncode for run in runs] == [0, 0, 0]
        assert outputs[0][-1] == outputs[1][-1] == outputs[2][-1]
        # One of them built all 36; the others were given them.
        assert sorted("1" in output for output in outputs) == [False, False, True]
        assert not list(tmp_path.glob("*.building-*"))

    def test_a_file_in_place_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file")
        with pytest.raises(UsageError, match="cache is not a folder: point XDG_CACHE_HOME at another folder"):
            build(SMALL, tmp_path / "cache")

    @pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOENT])
    def test_a_folder_that_cannot_be_written(
        self, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: object, **options: object) -> None:
            raise OSError(number, os.strerror(number))

        # Permissions do not bind root, as whom tests may run.
        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(UsageError, match=r"cache cannot be written \(.+\): point XDG_CACHE_HOME at another folder"):
            build(SMALL, tmp_path / "cache")


class TestInterruption:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("moment", ["started", "0", "1", "2", "25"])
    def test_nothing_is_left(self, number: signal.Signals, moment: str, tmp_path: Path) -> None:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        mark = str(tmp_path)
        program = start_program(tmp_path / "cache", {"packages": 100}, **{MARK: mark, "TMPDIR": str(temporary)})
        assert program.stdout is not None
        for line in program.stdout:
            if line.strip() == moment:
                break
        program.send_signal(number)
        assert program.wait(30) == 130
        program.stdout.close()
        assert not marked(mark)
        assert not list(tmp_path.glob("cache/*.building-*"))
        assert not list(temporary.iterdir())

    def test_a_run_that_waits_for_another_can_be_interrupted(self, tmp_path: Path) -> None:
        holder = start_program(tmp_path, {"packages": 100})
        assert holder.stdout is not None
        while holder.stdout.readline().strip() != "0":
            pass
        holder.send_signal(signal.SIGSTOP)
        try:
            waiting = start_program(tmp_path, {"packages": 100})
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == "started\n"
            waiting.send_signal(signal.SIGINT)
            assert waiting.wait(30) == 130
            waiting.stdout.close()
        finally:
            holder.send_signal(signal.SIGCONT)
            holder.terminate()
            holder.communicate()

    def test_workers_end_with_a_run_that_is_killed(self, tmp_path: Path) -> None:
        mark = str(tmp_path)
        program = start_program(tmp_path, {"packages": 20, "max_bytes": 1_000_000}, **{MARK: mark})
        assert program.stdout is not None
        while program.stdout.readline().strip() != "3":
            pass
        workers = [process for process in marked(mark) if process.pid != program.pid]
        assert workers
        program.kill()
        program.wait()
        program.stdout.close()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive
        assert list(tmp_path.glob("*.building-*"))

        wheels = build(PackageSet(packages=20, max_bytes=1_000_000), tmp_path)
        assert not list(tmp_path.glob("*.building-*"))
        assert all(hashlib.sha256(wheel.path.read_bytes()).hexdigest() == wheel.sha256 for wheel in wheels)


class TestFailure:
    @pytest.fixture
    def in_workers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Has every Python process that is started run some code first."""

        def install(code: str) -> None:
            (tmp_path / "site").mkdir()
            (tmp_path / "site" / "sitecustomize.py").write_text(code)
            monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

        return install

    def test_a_disk_that_is_full_in_a_worker(self, in_workers: Callable[[str], None], tmp_path: Path) -> None:
        in_workers(
            "import errno, pathlib\n"
            "write = pathlib.Path.write_bytes\n"
            "def full(path, data):\n"
            "    if 'test-package-002' in str(path):\n"
            "        raise OSError(errno.ENOSPC, 'No space left on device')\n"
            "    return write(path, data)\n"
            "pathlib.Path.write_bytes = full\n"
        )
        with pytest.raises(DiskFullError) as caught:
            build(SMALL, tmp_path / "cache")
        assert str(tmp_path / "cache") in str(caught.value)
        assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]

    def test_a_disk_that_is_full(self, tmp_path: Path) -> None:
        program = (
            "import sys; from pathlib import Path\n"
            "from bench.packages.factory import *; from bench.common.failures import *\n"
            "try:\n    build(PackageSet(packages=20), Path('disk/cache'))\n"
            "except DiskFullError as error:\n    print(error, [path.suffix for path in Path('disk/cache').iterdir()])"
        )
        mount = 'mkdir disk && mount -t tmpfs -o size=6m none disk && exec "$@"'
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
        if shutil.which("unshare") is None or subprocess.run([*command, "true"], cwd=tmp_path).returncode:
            pytest.skip("a disk of its own takes user namespaces, which are not allowed here")
        (tmp_path / "disk").rmdir()
        done = subprocess.run(
            [*command, sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(IMPORT_ROOT)},
            check=True,
            capture_output=True,
            text=True,
        )
        assert "no space left on the device" in done.stdout
        assert done.stdout.strip().endswith("['.lock']")

    def test_a_worker_that_is_killed(self, in_workers: Callable[[str], None], tmp_path: Path) -> None:
        in_workers("import os; os.kill(os.getpid(), 9)")
        with pytest.raises(BenchError, match="could not be built: a worker process ended with status -9"):
            build(SMALL, tmp_path / "cache")
        assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]

    def test_a_worker_that_fails(self, in_workers: Callable[[str], None], tmp_path: Path) -> None:
        in_workers("import sys; sys.modules['flit_core.buildapi'] = None")
        with pytest.raises(BenchError, match=r"could not be built: .*flit_core\.buildapi") as caught:
            build(SMALL, tmp_path / "cache")
        assert caught.value.exit_code == ExitCode.INTERNAL


class TestExport:
    def test_they_are_copied_and_can_be_copied_again(self, cache: Path, tmp_path: Path) -> None:
        wheels = build(SMALL, cache)
        folder = tmp_path / "deeper" / "wheels"
        make_export_folder(folder, SMALL)
        export(wheels, folder)
        os.truncate(folder / wheels[0].filename, 0)
        make_export_folder(folder, SMALL)
        export(wheels, folder)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == bytes_of(wheels)

    def test_what_is_done_to_the_copies_leaves_the_cache_alone(
        self, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        wheels = build(SMALL, cache)
        (tmp_path / "wheels").mkdir()
        export(wheels, tmp_path / "wheels")
        for path in (tmp_path / "wheels").iterdir():
            os.truncate(path, 0)
        assert build(SMALL, cache) == wheels
        assert not caplog.records

    def test_a_folder_with_other_things_in_it_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "letter.txt").write_text("dear reader")
        with pytest.raises(UsageError, match=r"holds other files, such as letter\.txt: name a new or empty folder"):
            make_export_folder(tmp_path / "home", SMALL)
        assert len(list((tmp_path / "home").iterdir())) == 1

    def test_a_folder_that_cannot_be_made_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"/proc/nope cannot be written \(No such file.*\): name another folder"):
            make_export_folder(Path("/proc/nope"), SMALL)

    def test_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "wheels").write_text("a file")
        with pytest.raises(UsageError, match="wheels is not a folder: name another folder"):
            make_export_folder(tmp_path / "wheels", SMALL)
