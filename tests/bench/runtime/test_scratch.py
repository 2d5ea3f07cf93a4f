"""Who owns a run's folder, and what becomes of the folders of the dead. With real processes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench.common.failures import ExitCode, UsageError
from bench.common.run_mark import RUN_VARIABLE
from bench.runtime.scratch import Scratch, base_folder, remove_abandoned, remove_run
from tests.bench.command_line import alive, watchdog_of

OWNER = """
import subprocess, sys
from bench.runtime.scratch import Scratch
scratch = Scratch()
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True, stdout=subprocess.DEVNULL
)
print(scratch.path, child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv(RUN_VARIABLE, "")


def start_owner() -> tuple[subprocess.Popen[str], Path, psutil.Process]:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    path, child = owner.stdout.readline().split()
    return owner, Path(path), psutil.Process(int(child))


def end(owner: subprocess.Popen[str], number: signal.Signals = signal.SIGKILL) -> None:
    """End a run by a signal, and wait until its watchdog has done its work."""
    watchdog = watchdog_of(owner.pid)
    owner.send_signal(number)
    owner.communicate()
    while alive(watchdog):
        time.sleep(0.02)


def end_with_watchdog(owner: subprocess.Popen[str]) -> None:
    watchdog_of(owner.pid).kill()
    owner.kill()
    owner.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_ends_without_a_word_leaves_nothing(number: signal.Signals) -> None:
    owner, _, child = start_owner()
    watchdog = watchdog_of(owner.pid)
    end(owner, number)
    assert not alive(child)
    assert not alive(watchdog)
    assert not base_folder().exists()


def test_a_watchdog_survives_what_kills_the_group_of_the_run() -> None:
    owner, _, child = start_owner()
    group = os.getpgid(watchdog_of(owner.pid).pid)
    assert group not in (os.getpgid(owner.pid), os.getpgid(child.pid))
    end(owner)


def test_a_run_whose_watchdog_was_killed_too_is_cleaned_up_after_by_the_next() -> None:
    owner, folder, child = start_owner()
    end_with_watchdog(owner)
    assert folder.exists()
    assert alive(child)
    assert remove_abandoned() == [folder.name]
    assert not alive(child)
    assert not base_folder().exists()


def test_processes_of_a_killed_run_are_found_without_its_folder() -> None:
    owner, folder, child = start_owner()
    end_with_watchdog(owner)
    shutil.rmtree(folder)
    assert remove_abandoned() == [folder.name]
    assert not alive(child)


def test_a_run_whose_owner_lives_is_not_touched() -> None:
    owner, folder, child = start_owner()
    try:
        assert remove_abandoned() == []
        assert folder.exists()
        assert alive(child)
    finally:
        end(owner)


def test_a_process_id_that_was_given_out_again_does_not_keep_a_folder() -> None:
    mine = Scratch()
    pid, started, digits = mine.run_mark.split("-")
    stale = mine.path.with_name(f"{pid}-{int(started) - 1}-{digits}")
    stale.mkdir()
    assert remove_abandoned() == [stale.name]
    assert mine.path.exists()
    assert mine.remove() == []


def test_a_run_that_ends_takes_its_watchdog_with_it() -> None:
    mine = Scratch()
    watchdog = watchdog_of(os.getpid())
    assert mine.remove() == []
    assert not alive(watchdog)


def test_removing_ends_processes_that_nobody_remembers() -> None:
    mine = Scratch()
    forgotten = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    assert mine.remove() == []
    assert not psutil.pid_exists(forgotten.pid)
    assert forgotten.poll() is not None
    assert not base_folder().exists()


def test_what_others_put_there_stays() -> None:
    base_folder().mkdir()
    (base_folder() / "notes").mkdir()
    assert remove_abandoned() == []
    assert (base_folder() / "notes").exists()


def test_the_folder_is_for_its_owner_alone() -> None:
    mine = Scratch()
    assert mine.path.stat().st_mode & 0o777 == 0o700
    assert os.environ[RUN_VARIABLE] == mine.run_mark
    mine.remove()


def others_may_write(base: Path) -> str:
    base.mkdir()
    base.chmod(0o777)
    return "may be written by other users (mode 0777)"


def symbolic_link(base: Path) -> str:
    base.with_name("victim").mkdir()
    base.symlink_to(base.with_name("victim"))
    return "is a symbolic link"


def dangling_link(base: Path) -> str:
    base.symlink_to(base.with_name("nowhere"))
    return "is a symbolic link"


def file(base: Path) -> str:
    base.touch()
    return "is no folder"


def of_somebody_else(base: Path) -> str:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    base.mkdir(mode=0o700)
    os.chown(base, 12345, -1)
    return "belongs to the user with id 12345"


@pytest.mark.parametrize("plant", [others_may_write, symbolic_link, dangling_link, file, of_somebody_else])
def test_a_folder_that_others_may_have_filled_is_neither_used_nor_cleaned_up(plant: Callable[[Path], str]) -> None:
    sentence = f"{plant(base_folder())}, and what the benchmark finds there could be somebody else's: "
    abandoned = base_folder() / "1-1-00000000"
    with contextlib.suppress(OSError):
        abandoned.mkdir()
    planted = abandoned.exists()
    for act in (Scratch, remove_abandoned):
        with pytest.raises(UsageError, match=re.escape(sentence)) as refused:
            act()
        assert str(refused.value).endswith("or set TMPDIR to a folder of your own")
    (leftover,) = remove_run(abandoned.name)
    assert sentence in leftover
    assert abandoned.exists() == planted


def test_a_command_refuses_such_a_folder_in_a_sentence(tmp_path: Path) -> None:
    others_may_write(base_folder())
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "packages", str(tmp_path / "wheels"), "--packages", "1"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == ExitCode.USAGE
    assert ended.stderr.splitlines()[-1].startswith(f"Error: {base_folder()} may be written by other users")


def test_a_temporary_folder_that_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "t\udce9"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with pytest.raises(UsageError, match="is not UTF-8: set TMPDIR to another"):
        Scratch()
    assert list(folder.iterdir()) == []
