"""A directory tree, read once and trusted while it proves unchanged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from pypiserver.backend import listdir

from pypiserver_stack.container.index.directory import PackageEntry, PackageTree, Tree
from tests.pypiserver_stack.container.index.counted_calls import CountedCalls
from tests.pypiserver_stack.container.index.file_server import FileServer

MARGIN_S = 2.0


@pytest.fixture
def calls() -> CountedCalls:
    return CountedCalls()


@pytest.fixture
def directory(tmp_path: Path, calls: CountedCalls) -> PackageTree:
    return PackageTree(tmp_path, MARGIN_S, calls)


def entries_of(tree: Tree) -> dict[str, PackageEntry]:
    return {entry.relfn: entry for seen in tree.values() for entry in seen.content.entries.values()}


def trusted(directory: PackageTree, calls: CountedCalls) -> Tree:
    """The tree after a second look, a margin after the first."""
    tree = directory.read({})
    calls.now_s += MARGIN_S
    return directory.read(tree)


def test_what_pypiserver_lists_is_what_is_found(tmp_path: Path, directory: PackageTree) -> None:
    elsewhere = tmp_path / "sub" / "deeper"
    elsewhere.mkdir(parents=True)
    for name in ["a-1.0.tar.gz", "sub/b_C-2.0-1-py3-none-any.whl", "sub/deeper/c.d-3.zip", "a-1.0.tar.gz.asc"]:
        (tmp_path / name).touch()
    for name in ["notes.txt", ".hidden-1.0.zip", "café-1.0.zip", "na me-1.0.zip", "x.whl", "-1.0.zip"]:
        (tmp_path / name).touch()
    (tmp_path / ".digests").mkdir()
    (tmp_path / ".digests" / "d-1.0.zip").touch()
    (tmp_path / "folder-1.0.zip").mkdir()
    (tmp_path / "folder-1.0.zip" / "e-1.0.zip").touch()
    os.mkfifo(tmp_path / "pipe-1.0.zip")
    (tmp_path / "link-1.0.zip").symlink_to("sub/deeper/c.d-3.zip")
    (tmp_path / "dangling-1.0.zip").symlink_to("nowhere")
    (tmp_path / "loop-1.0.zip").symlink_to("loop-1.0.zip")
    (tmp_path / "beyond-1.0.zip").symlink_to("a-1.0.tar.gz/no-directory")
    (tmp_path / "linked-folder").symlink_to("sub")
    (tmp_path / "linked-1.0.zip").symlink_to("sub")

    found = entries_of(directory.read({}))

    expected = {
        package.relfn: (package.fn.rpartition("/")[2], package.pkgname_norm, package.version)
        for package in listdir(tmp_path)
    }
    build = "sub/b_C-2.0-1-py3-none-any.whl"
    assert expected[build][2] == "2.0-1"
    expected[build] = (*expected[build][:2], "2.0")  # the build is no part of the version
    del expected["-1.0.zip"]  # of the project without a name, which no client can ask for
    assert {path: (entry.name, entry.project, entry.version) for path, entry in found.items()} == expected
    assert {"link-1.0.zip", "sub/b_C-2.0-1-py3-none-any.whl", "folder-1.0.zip/e-1.0.zip"} < set(found)


def test_a_name_that_is_no_text_or_holds_control_characters_is_left_out_and_logged_once(
    tmp_path: Path, directory: PackageTree, caplog: pytest.LogCaptureFixture
) -> None:
    unprintable = ["a-1.0+caf\udce9.zip", "a-1\n.0.zip", "a-1" * 80 + "\n.whl", "sub\udce9/a-2.0.zip"]
    for name in [*unprintable, "a-3.0.zip"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    for _ in range(2):
        assert set(entries_of(directory.read({}))) == {"a-3.0.zip"}

    names = ["a-1.0+caf\udce9.zip", "a-1\n.0.zip", "a-1" * 80 + "\n.whl", "sub\udce9"]
    assert sorted(caplog.messages) == sorted(
        f"{name!a} is not listed: its name holds control characters, or bytes that are not UTF-8" for name in names
    )


@pytest.mark.parametrize("packages", [3, 500])
def test_an_unchanged_tree_costs_three_calls_a_directory_whatever_lies_in_it(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls, packages: int
) -> None:
    (tmp_path / "sub").mkdir()
    for number in range(packages):
        (tmp_path / "sub" / f"a-{number}.zip").touch()
    known = trusted(directory, calls)
    calls.count.clear()

    assert directory.read(known) is known
    assert calls.count == {"open": 2, "fstat": 2, "close": 2}


def test_a_changed_directory_is_read_at_each_look_until_a_margin_has_passed(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls
) -> None:
    tree = directory.read({})
    for _ in range(3):
        calls.now_s += MARGIN_S / 4
        calls.count.clear()
        tree = directory.read(tree)
        assert calls.count["scandir"] == 1
    calls.now_s += MARGIN_S / 4
    tree = directory.read(tree)
    calls.count.clear()

    assert directory.read(tree) is tree
    assert calls.count["scandir"] == 0


def test_only_the_directory_that_changed_is_read(tmp_path: Path, directory: PackageTree, calls: CountedCalls) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a-1.0.zip").touch()
    known = trusted(directory, calls)
    (tmp_path / "one" / "b-1.0.zip").touch()
    calls.now_s += MARGIN_S  # its new signature has still to be seen for the first time

    tree = directory.read(known)

    assert tree["other"] is known["other"]
    assert set(entries_of(tree)) == {"one/a-1.0.zip", "one/b-1.0.zip", "other/a-1.0.zip"}
    assert entries_of(tree)["one/a-1.0.zip"] is entries_of(known)["one/a-1.0.zip"]
    assert not tree["one"].trusted


def test_what_is_distrusted_is_read(tmp_path: Path, directory: PackageTree, calls: CountedCalls) -> None:
    (tmp_path / "sub").mkdir()
    known = trusted(directory, calls)
    calls.count.clear()

    assert directory.read(known, distrusted=[""]) is not known
    assert calls.count["scandir"] == 1
    assert directory.read(known, distrusted=["", "sub"]) is not known
    assert calls.count["scandir"] == 3


@pytest.mark.parametrize("error", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE])
@pytest.mark.parametrize("folder", ["", "sub"])
def test_an_unreadable_directory_is_an_error_and_never_an_empty_one(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls, folder: str, error: int
) -> None:
    (tmp_path / "sub").mkdir()
    known = directory.read({})
    calls.failing[folder or str(tmp_path)] = error

    with pytest.raises(OSError, match=os.strerror(error)):
        directory.read(known)


def test_a_root_that_is_gone_is_an_error(tmp_path: Path, directory: PackageTree) -> None:
    tmp_path.rmdir()

    with pytest.raises(FileNotFoundError):
        directory.read({})


@pytest.mark.parametrize("folder", ["lost+found", "aws-backup-restore_2025-12-27T09-45-00-123Z"])
def test_a_folder_that_is_left_out_is_not_even_opened(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    calls.failing[folder] = errno.EACCES

    assert list(directory.read({})) == [""]


def file_server(root: Path, granularity_s: float) -> FileServer:
    return FileServer(root, granularity_s=granularity_s, ahead_s=0.0, rename_sets_ctime=False)


FOLDER = "by-project/a"


@pytest.mark.parametrize(
    ("source", "target"), [("a-1.0.zip", f"{FOLDER}/a-1.0.zip"), (f"{FOLDER}/a-1.0.zip", "a-1.0.zip")]
)
@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("granularity_s", [1e-9, 2.0])
@pytest.mark.parametrize("calls_before", range(25))
def test_a_package_that_moves_between_its_folder_and_the_root_at_any_moment_is_found(
    tmp_path: Path, source: str, target: str, is_known: bool, granularity_s: float, calls_before: int
) -> None:
    """With the folder made just before, or removed just after."""
    server = file_server(tmp_path / "packages", granularity_s)
    directory = PackageTree(server.root, MARGIN_S, server)
    server.mkdir("by-project")
    known: Tree = {}
    if is_known:  # and trusted, before there was any package
        for _ in range(2):
            known = directory.read(known, [FOLDER])
            server.pass_time(2 * MARGIN_S)
    if source.startswith(FOLDER):
        server.mkdir(FOLDER)
    server.create(source, b"")

    def move() -> None:
        server.pass_time(0.001)
        if target.startswith(FOLDER):
            server.mkdir(FOLDER)
        server.rename(source, target)
        if source.startswith(FOLDER):
            server.remove_tree(FOLDER)

    server.interrupt(move, after_calls=calls_before)
    found = set(entries_of(directory.read(known, [FOLDER])))

    assert found in ({source}, {target})


def test_the_folder_of_a_project_holds_its_packages_alone(tmp_path: Path, directory: PackageTree) -> None:
    for path in (
        *(
            "by-project/a-1/a-1-2.zip",
            "by-project/a-1/b-1.0.zip",
            "by-project/a-1/deep/a-1-3.zip",
            "by-project/a-2.zip",
        ),
        *("by-project/A/a-4.zip", "sub/by-project/a-5.zip"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "by-project" / "linked").symlink_to(tmp_path / "by-project" / "a-1")

    folders = [f"by-project/{project}" for project in ("a-1", "a", "linked", "unknown")]
    tree = directory.read({}, folders)

    assert {path: (entry.project, entry.version) for path, entry in entries_of(tree).items()} == {
        "by-project/a-1/a-1-2.zip": ("a-1", "2"),
        "sub/by-project/a-5.zip": ("a", "5"),
    }
    assert directory.read({}, ["by-project"])["by-project"].content.subdirectories == ("by-project/a-1",)


@pytest.mark.parametrize("folder", ["by-project/a", "by-project/unknown"])
def test_a_change_costs_one_scan_of_each_directory_that_is_looked_at(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls, folder: str
) -> None:
    (tmp_path / "by-project" / "a").mkdir(parents=True)
    known = directory.read({}, [folder])
    (tmp_path / "a-1.0.zip").touch()
    calls.count.clear()

    directory.read(known, [folder])

    # A second one of the root and of the folder, which may have stood in for each other.
    assert calls.count["scandir"] == (4 if folder == "by-project/a" else 1)


@pytest.mark.parametrize("packages", [3, 500])
def test_an_unchanged_folder_costs_five_calls_whatever_other_folders_there_are(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls, packages: int
) -> None:
    for number in range(packages):
        (tmp_path / "by-project" / f"a-{number}").mkdir(parents=True)
        (tmp_path / "by-project" / f"a-{number}" / f"a-{number}-1.0.zip").touch()
    known: Tree = {}
    for _ in range(3):
        known = directory.read(known, ["by-project/a-0"])
        calls.now_s += MARGIN_S
    (tmp_path / "by-project" / "a-1" / "a-1-2.0.zip").touch()
    calls.count.clear()

    assert directory.read(known, ["by-project/a-0"]) is known
    # Of the root, of that with all folders, of this folder; and of the root for the shared tree.
    assert calls.count == {"open": 4, "fstat": 2, "close": 4}


@pytest.mark.parametrize("granularity_s", [1e-9, 2.0])
@pytest.mark.parametrize("calls_before", range(25))
def test_a_package_that_moves_at_any_moment_of_a_look_is_found(
    tmp_path: Path, granularity_s: float, calls_before: int
) -> None:
    server = file_server(tmp_path / "packages", granularity_s)
    for folder in ("one", "other"):
        server.mkdir(folder)
    server.create("one/a-1.0.zip", b"")
    server.create("other/b-1.0.zip", b"")

    def move() -> None:
        server.pass_time(0.001)
        server.rename("one/a-1.0.zip", "other/a-1.0.zip")
        server.rename("other/b-1.0.zip", "one/b-1.0.zip")

    server.interrupt(move, after_calls=calls_before)
    found = set(entries_of(PackageTree(server.root, MARGIN_S, server).read({})))

    assert found in ({"one/a-1.0.zip", "other/b-1.0.zip"}, {"other/a-1.0.zip", "one/b-1.0.zip"})


def test_a_change_whose_mtime_was_put_back_shows_in_ctime(tmp_path: Path) -> None:
    server = file_server(tmp_path / "packages", granularity_s=1.0)
    server.mkdir("sub")
    directory = PackageTree(server.root, MARGIN_S, server)
    mtime_ns = server.stat(server.root / "sub").st_mtime_ns
    tree = directory.read({})
    server.pass_time(10)
    tree = directory.read(tree)

    server.create("sub/a-1.0.zip", b"")
    server.set_mtime("sub", mtime_ns)

    assert set(entries_of(directory.read(tree))) == {"sub/a-1.0.zip"}


def test_a_link_is_there_as_long_as_it_leads_to_a_file(
    tmp_path: Path, directory: PackageTree, calls: CountedCalls, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
    elsewhere.touch()
    (tmp_path / "a-1.0.zip").symlink_to(elsewhere)
    tree = trusted(directory, calls)
    assert directory.read(tree) is tree
    assert set(entries_of(tree)) == {"a-1.0.zip"}

    elsewhere.unlink()
    tree = directory.read(tree)
    assert not entries_of(tree)
    elsewhere.touch()
    assert set(entries_of(directory.read(tree))) == {"a-1.0.zip"}


def test_folders_that_swap_names_and_look_the_same_are_told_apart_by_their_numbers(tmp_path: Path) -> None:
    server = file_server(tmp_path / "packages", granularity_s=2.0)
    server.mkdir("one")
    server.mkdir("other")
    server.create("one/a-1.0.zip", b"")
    server.create("other/b-1.0.zip", b"")
    directory = PackageTree(server.root, MARGIN_S, server)
    tree = directory.read({})
    server.pass_time(10)
    tree = directory.read(tree)

    server.rename("one", "aside")
    server.rename("other", "one")
    server.rename("aside", "other")

    assert set(entries_of(directory.read(tree))) == {"other/a-1.0.zip", "one/b-1.0.zip"}


def test_a_tree_that_never_holds_still_is_read_as_well_as_one_walk_can(tmp_path: Path) -> None:
    class Busy(FileServer):
        """Somebody else's package comes between any two looks at the root."""

        packages = 0

        def fstat(self, descriptor: int) -> os.stat_result:
            status = super().fstat(descriptor)
            self.packages += 1
            self.pass_time(0.001)
            self.create(f"busy-{self.packages}.zip", b"")
            return status

    server = Busy(tmp_path / "packages", granularity_s=1e-9, ahead_s=0.0, rename_sets_ctime=True)
    server.create("a-1.0.zip", b"")

    assert "a-1.0.zip" in entries_of(PackageTree(server.root, MARGIN_S, server).read({}))
