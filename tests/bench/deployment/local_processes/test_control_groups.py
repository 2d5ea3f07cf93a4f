"""Where control groups are made and what is written into them, in a fake tree; version 2 was never run for real."""

from __future__ import annotations

import errno
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from bench.deployment.local_processes.control_groups import (
    ControllerName,
    NotUsableError,
    file_system_of,
    find_controller,
    group_name,
    marks_of_groups,
    remove_groups,
)
from tests.bench.deployment.local_processes.fake_kernel import FakeKernel

GROUP = PurePosixPath(group_name("17-4711-0badcafe", 1), "task-1")
NAMES: tuple[ControllerName, ...] = ("memory", "cpu")
APPS = "user.slice/user-1000.slice/user@1000.service/app.slice"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    return FakeKernel(tmp_path, monkeypatch)


def test_version_1_takes_limits_below_the_group_of_this_process(kernel: FakeKernel) -> None:
    kernel.version_1("cpu")
    mount = kernel.version_1("memory", own="/user.slice")
    (mount / "user.slice").mkdir()
    memory = find_controller("memory", kernel.proc_self)
    memory.make(GROUP)
    memory.limit_memory(GROUP, 128 * 2**20)
    memory.enter(GROUP, 4242)

    group = mount / "user.slice" / GROUP
    assert (group / "memory.limit_in_bytes").read_text() == "134217728"
    assert (group / "memory.memsw.limit_in_bytes").read_text() == "134217728"
    assert (group / "cgroup.procs").read_text() == "4242"
    (group / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    assert memory.oom_kills(GROUP) == 3


def test_version_1_shares_and_caps_processors(kernel: FakeKernel) -> None:
    mount = kernel.version_1("cpu")
    cpu = find_controller("cpu", kernel.proc_self)
    cpu.make(GROUP)
    cpu.share_cpu(GROUP, 640)
    cpu.cap_cpu(GROUP.parent, 2)

    assert (mount / GROUP / "cpu.shares").read_text() == "640"
    assert (mount / GROUP.parent / "cpu.cfs_quota_us").read_text() == "200000"
    assert (mount / GROUP.parent / "cpu.cfs_period_us").read_text() == "100000"


def test_version_1_in_a_container_that_shows_its_own_part_of_the_tree(kernel: FakeKernel) -> None:
    mount = kernel.version_1("memory", own="/docker/5eaf", root="/docker/5eaf")
    assert find_controller("memory", kernel.proc_self).base == mount


def test_version_1_in_a_container_that_does_not_show_where_it_is(kernel: FakeKernel) -> None:
    mount = kernel.version_1("memory", own="/../5eaf", root="/docker/5eaf")
    assert find_controller("memory", kernel.proc_self).base == mount


def test_version_2_takes_limits_below_the_nearest_group_that_passes_both_on(kernel: FakeKernel) -> None:
    mount = kernel.version_2(own=f"/{APPS}/terminal.scope")
    kernel.group(mount / APPS / "terminal.scope")
    apps = kernel.group(mount / APPS, passes_on="cpu memory pids")
    memory, cpu = (find_controller(name, kernel.proc_self) for name in NAMES)
    assert memory.base == cpu.base == apps
    for controller in (memory, cpu):
        controller.make(GROUP)
    memory.limit_memory(GROUP, 128 * 2**20)
    cpu.share_cpu(GROUP, 1024)
    cpu.cap_cpu(GROUP.parent, 2)
    memory.enter(GROUP, 4242)

    group = apps / GROUP
    assert ((group / "memory.max").read_text(), (group / "memory.swap.max").read_text()) == ("134217728", "0")
    assert (group / "cpu.weight").read_text() == "39"
    assert (group.parent / "cpu.max").read_text() == "200000 100000"
    assert (group / "cgroup.procs").read_text() == "4242"
    # What is above the run's own groups stays as it was, and a task's own group passes nothing on.
    assert (apps / "cgroup.subtree_control").read_text() == "cpu memory pids"
    assert (group / "cgroup.subtree_control").read_text() == ""
    (group / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\noom_group_kill 0\n")
    assert memory.oom_kills(GROUP) == 2


def test_version_2_takes_memory_alone_where_nothing_passes_cpu_on(kernel: FakeKernel) -> None:
    mount = kernel.version_2(own=f"/{APPS}/terminal.scope")
    kernel.group(mount / APPS / "terminal.scope")
    apps = kernel.group(mount / APPS, passes_on="memory pids")
    assert find_controller("memory", kernel.proc_self).base == apps
    with pytest.raises(NotUsableError, match="passes the cpu controller on"):
        find_controller("cpu", kernel.proc_self)


def test_a_process_is_in_one_group_of_version_2(kernel: FakeKernel) -> None:
    """Nearer groups that pass one controller on are of no use to the other."""
    mount = kernel.version_2(own=f"/{APPS}/terminal.scope")
    kernel.group(mount / APPS / "terminal.scope")
    kernel.group(mount / APPS, passes_on="memory")
    kernel.group(mount, passes_on="cpu memory")
    assert find_controller("memory", kernel.proc_self).base == find_controller("cpu", kernel.proc_self).base == mount


def test_hybrid_mounts_take_each_controller_where_it_is(kernel: FakeKernel) -> None:
    kernel.version_1("memory")
    kernel.group(kernel.version_2(controllers="cpu"), passes_on="cpu memory")
    assert find_controller("memory", kernel.proc_self).version == 1
    assert find_controller("cpu", kernel.proc_self).version == 2


def test_a_machine_without_control_groups(tmp_path: Path) -> None:
    with pytest.raises(NotUsableError, match="no control groups are mounted"):
        find_controller("memory", tmp_path / "no-such-proc")
    assert marks_of_groups(tmp_path / "no-such-proc") == set()


def test_a_kernel_without_the_controller(kernel: FakeKernel) -> None:
    kernel.version_1("cpu")
    kernel.version_2(controllers="hugetlb")
    with pytest.raises(NotUsableError, match="no mounted hierarchy of control groups has the memory controller"):
        find_controller("memory", kernel.proc_self)


def test_version_2_without_delegation(kernel: FakeKernel) -> None:
    kernel.version_2()
    with pytest.raises(NotUsableError, match="run as root, or in a delegated group"):
        find_controller("memory", kernel.proc_self)


@pytest.mark.parametrize(
    ("number", "why"), [(errno.EACCES, "run as root"), (errno.EROFS, "read-only mount"), (errno.ENOSPC, "No space")]
)
def test_a_group_that_cannot_be_made(
    kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    kernel.version_1("memory")
    memory = find_controller("memory", kernel.proc_self)

    def refuse(path: Path, *args: Any, **options: Any) -> None:
        raise OSError(number, "as the kernel says it")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(NotUsableError, match=why):
        memory.make(GROUP)


def test_a_file_that_the_kernel_does_not_have(kernel: FakeKernel) -> None:
    mount = kernel.version_1("memory")
    memory = find_controller("memory", kernel.proc_self)
    memory.make(GROUP)
    (mount / GROUP / "memory.memsw.limit_in_bytes").unlink()  # without swap accounting
    memory.limit_memory(GROUP, 2**20)
    assert not (mount / GROUP / "memory.memsw.limit_in_bytes").exists()
    (mount / GROUP / "memory.limit_in_bytes").unlink()
    with pytest.raises(NotUsableError, match="this kernel does not have the feature"):
        memory.limit_memory(GROUP, 2**20)


def test_the_groups_of_one_run_are_removed(kernel: FakeKernel, tmp_path: Path) -> None:
    memory, cpu = kernel.version_1("memory"), kernel.version_1("cpu")
    for mount in (memory, cpu):
        for group in (GROUP, PurePosixPath("slice", group_name("18-4712-0badcafe", 1))):
            (mount / group).mkdir(parents=True)
            for folder in (mount / group, (mount / group).parent):
                for file in folder.glob("*.*"):
                    file.unlink()  # the kernel's files go with their group

    assert marks_of_groups(kernel.proc_self) == {"17-4711-0badcafe", "18-4712-0badcafe"}
    assert remove_groups("17-4711-0badcafe", kernel.proc_self) == []
    assert marks_of_groups(kernel.proc_self) == {"18-4712-0badcafe"}


def test_a_group_that_stays_is_named(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.deployment.local_processes.control_groups._REMOVAL_PATIENCE_S", 0.0)
    mount = kernel.version_1("memory")
    (mount / GROUP.parent).mkdir()  # the files in it keep it from being removed, as processes would
    assert remove_groups("17-4711-0badcafe", kernel.proc_self) == [f"control group {mount / GROUP.parent}"]


def test_groups_of_another_user_are_left_alone(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = kernel.version_1("memory")
    (mount / GROUP.parent).mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: False)  # permissions do not bind root, as whom tests may run
    assert marks_of_groups(kernel.proc_self) == set()
    assert remove_groups("17-4711-0badcafe", kernel.proc_self) == []


def test_the_file_system_of_a_folder(kernel: FakeKernel, tmp_path: Path) -> None:
    kernel.mounted("tmpfs", str(tmp_path).replace(" ", "\\040") + "/in\\040memory")
    assert file_system_of(tmp_path / "in memory" / "run", kernel.proc_self) == "tmpfs"
    assert file_system_of(tmp_path / "elsewhere", kernel.proc_self) == "ext4"
    assert file_system_of(tmp_path, tmp_path / "no-such-proc") == ""
