"""The index against pypiserver's own walk, whatever writers do that rename and link, on many different file servers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from pypiserver.backend import digest_file
from pypiserver.config import Config

from pypiserver_stack.container.base.core_metadata import core_metadata, requires_python
from pypiserver_stack.container.base.project_folders import project_of_folder
from pypiserver_stack.container.base.records import FileKey, PackageContent, RecordStore
from pypiserver_stack.container.base.releases import release_of
from pypiserver_stack.container.base.yanks import YANKED, yank_reason
from pypiserver_stack.container.index.package_index import PackageIndex
from pypiserver_stack.container.pypiserver_hooks.walking_backend import WalkingBackend
from tests.pypiserver_stack.container.index.file_server import FileServer


class Listed(NamedTuple):
    """What a listing says of a file."""

    sha256: str
    requires_python: str | None
    yanked: str | None


Listings = dict[str, dict[str, Listed]]
"""By path by project."""

pytestmark = pytest.mark.timeout(1800)  # 300 examples on a busy machine

MARGIN_S = 2.0

RESTORED = "aws-backup-restore_2025-12-27T09-45-00-123Z"
PROJECT_FOLDERS = ["by-project", "by-project/a", "by-project/a-1", "by-project/a/deep"]
FOLDERS = st.sampled_from(["", "sub", "sub/deep", "other", *PROJECT_FOLDERS, RESTORED])
PATHS = st.sampled_from(
    [
        "a-1.0.tar.gz",
        "a-2.0-py3-none-any.whl",
        "b-1.0.zip",
        "a-1-2.zip",  # of a or of a-1
        "sub/a-1.0.tar.gz",
        "sub/deep/a-3.0.zip",
        "other/a-1.0.tar.gz",
        "other/.hidden-1.0.zip",
        "sub/not a package",
        f"{RESTORED}/a-1.0.tar.gz",
        "by-project/a/a-1.0.tar.gz",
        "by-project/a/a-1-2.zip",  # of a here
        "by-project/a-1/a-1-2.zip",
        "by-project/a-1/a-1.0.tar.gz",  # not of a-1, and so of none
        "by-project/a-1.0.tar.gz",
        "by-project/a/deep/a-1.0.tar.gz",
    ]
)
NAMES = st.sampled_from(["a-1.0.tar.gz", "b-1.0.zip"])


def archive(python: str, name: str) -> bytes:
    """A package that asks for a Python, for whatever name of `PATHS` it has, but that of a tar archive."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        wheel = f"Name: a\nVersion: 2.0\nRequires-Python: {python}\n"
        made.writestr(zipfile.ZipInfo("a-2.0.dist-info/METADATA"), wheel)
        made.writestr(zipfile.ZipInfo("a/PKG-INFO"), f"Name: {name:3}\nRequires-Python: {python}\n")
    return written.getvalue()


CONTENTS = st.sampled_from([archive(">=3.8", "a"), archive(">=3.9", "a"), archive(">=3.9", "a-1")])  # of the same size
REASONS = st.sampled_from(["", "it is broken", "it is unsafe"])
SECONDS = st.sampled_from([0.0, 0.0, 0.4, 2.0, 10.0])

Step = tuple[str, tuple[object, ...]]
"""The name of a method of `FileChange`, and its arguments."""


class FileChange:
    """One thing that a writer does, or None of it where it cannot be done."""

    def __init__(self, server: FileServer, records: RecordStore) -> None:
        self.server, self.root, self.records = server, server.root, records

    def upload(self, name: str, content: bytes) -> None:
        """As the package store does it; the record is the server's."""
        folder = f"by-project/{name[0]}"
        path = f"{folder}/{name}"
        if not os.path.lexists(self.root / path):
            self.server.create(".incoming/1", content)
            for made in ("by-project", folder):
                self.make_folder(made)
            self.server.link(".incoming/1", path)
            self.server.unlink(".incoming/1")
            key = FileKey.of(self.server.stat(self.root / path))
            metadata = core_metadata(io.BytesIO(content), name)
            self.records.put(path, key, PackageContent(hashlib.sha256(content).hexdigest(), metadata))
            self.server.mark_uploaded(path)

    def remove_release(self, path: str) -> None:
        """As the server removes one."""
        self.unyank(path)
        self.remove(path)
        folder = (self.root / path).parent
        if path.startswith("by-project/") and folder.is_dir() and not any(folder.iterdir()):
            self.server.remove_tree(str(Path(path).parent))

    def remove(self, path: str) -> None:
        if (self.root / path).is_file() or (self.root / path).is_symlink():
            self.server.unlink(path)

    def yank(self, path: str, reason: str) -> None:
        self.replace(f"{path}{YANKED}", reason.encode(), same_mtime=False)

    def unyank(self, path: str) -> None:
        self.remove(f"{path}{YANKED}")

    def replace(self, path: str, content: bytes, same_mtime: bool) -> None:
        """As rsync does: under a name with a dot first."""
        if (self.root / path).parent.is_dir():
            temporary = str(Path(path).parent / ".temporary")
            mtime_ns = self._mtime_ns(path)
            self.server.create(temporary, content)
            if same_mtime and mtime_ns is not None:
                self.server.set_mtime(temporary, mtime_ns)
            self.server.rename(temporary, path)

    def recreate(self, path: str, content: bytes, same_mtime: bool) -> None:
        """rm and cp: the new file gets the number of the old."""
        if (self.root / path).parent.is_dir():
            mtime_ns = self._mtime_ns(path)
            self.remove(path)
            self.server.create(path, content)
            if same_mtime and mtime_ns is not None:
                self.server.set_mtime(path, mtime_ns)

    def _mtime_ns(self, path: str) -> int | None:
        return self.server.stat(self.root / path).st_mtime_ns if (self.root / path).is_file() else None

    def move(self, source: str, target: str) -> None:
        if (self.root / source).is_file() and (self.root / target).parent.is_dir() and source != target:
            self.server.rename(source, target)

    def link(self, source: str, target: str) -> None:
        parent = (self.root / target).parent
        if (self.root / source).is_file() and parent.is_dir() and not (self.root / target).exists():
            self.remove(target)
            self.server.link(source, target)

    def symlink(self, source: str, target: str) -> None:
        if (self.root / target).parent.is_dir() and source != target:
            self.remove(target)
            self.server.symlink(str(self.root / source), target)

    def make_folder(self, folder: str) -> None:
        if not (self.root / folder).exists() and (self.root / folder).parent.is_dir():
            self.server.mkdir(folder)

    def remove_folder(self, folder: str) -> None:
        if folder and (self.root / folder).is_dir():
            self.server.remove_tree(folder)

    def move_folder(self, source: str, target: str) -> None:
        free = not (self.root / target).exists() and (self.root / target).parent.is_dir()
        if source and (self.root / source).is_dir() and free and not f"{target}/".startswith(f"{source}/"):
            self.server.rename(source, target)

    def swap_folders(self, one: str, other: str) -> None:
        if (self.root / one).is_dir() and (self.root / other).is_dir():
            self.move_folder(one, "aside")
            self.move_folder(other, one)
            self.move_folder("aside", other)

    def synchronise(self, path: str, content: bytes) -> None:
        """As rsync -a of a whole folder, whose time stamp is restored too."""
        folder = (self.root / path).parent
        if folder.is_dir():
            mtime_ns = self.server.stat(folder).st_mtime_ns
            self.replace(path, content, same_mtime=True)
            self.server.set_mtime(str(folder), mtime_ns)

    def restore_mtime(self, folder: str, seconds: int) -> None:
        """tar ends with this."""
        if (self.root / folder).is_dir():
            self.server.set_mtime(folder, seconds * 10**9)

    def __call__(self, step: Step) -> None:
        name, arguments = step
        getattr(self, name)(*arguments)


def _step(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), st.tuples(*arguments))


WRITES = st.sampled_from(["replace", "recreate"])
MOVES = _step("move", PATHS, PATHS)
STEPS = st.one_of(
    MOVES,
    _step("upload", NAMES, CONTENTS),
    _step("remove", PATHS),
    _step("remove_release", PATHS),
    _step("yank", PATHS, REASONS),
    _step("unyank", PATHS),
    _step("replace", PATHS, CONTENTS, st.booleans()),
    _step("recreate", PATHS, CONTENTS, st.booleans()),
    _step("synchronise", PATHS, CONTENTS),
    _step("link", PATHS, PATHS),
    _step("symlink", PATHS, PATHS),
    _step("make_folder", FOLDERS),
    _step("remove_folder", FOLDERS),
    _step("move_folder", FOLDERS, FOLDERS),
    _step("swap_folders", st.just("sub"), st.just("other")),
    _step("swap_folders", st.just("by-project/a"), st.just("by-project/a-1")),
    _step("restore_mtime", FOLDERS, st.integers(1, 3)),
)


class IndexModel(RuleBasedStateMachine):
    """Two workers answer, one or several changes apart; after every change one of them is asked for everything."""

    @initialize(
        granularity_s=st.sampled_from([1e-9, 0.004, 1.0, 2.0]),
        ahead_s=st.sampled_from([-5.3, -0.7, 0.0, 0.7, 5.3]),
        rename_sets_ctime=st.booleans(),
        folders=st.sampled_from([0, len(PROJECT_FOLDERS)]),
    )
    def start(self, granularity_s: float, ahead_s: float, rename_sets_ctime: bool, folders: int) -> None:
        self.root = Path(tempfile.mkdtemp()).resolve() / "packages"
        self.server = FileServer(
            self.root, granularity_s=granularity_s, ahead_s=ahead_s, rename_sets_ctime=rename_sets_ctime
        )
        self.change = FileChange(self.server, RecordStore(self.root, self.server))
        for folder in ("sub", "sub/deep", "other", *PROJECT_FOLDERS[:folders], RESTORED):
            self.server.mkdir(folder)
        self.workers = [self.new_worker(), self.new_worker()]

    def new_worker(self) -> PackageIndex:
        return PackageIndex(self.root, RecordStore(self.root, self.server), margin_s=MARGIN_S, calls=self.server)

    @rule(steps=st.lists(STEPS, min_size=1, max_size=3), seconds=SECONDS, worker=st.integers(0, 1))
    def changes(self, steps: list[Step], seconds: float, worker: int) -> None:
        for step in steps:
            self.change(step)
        assert listings_of(self.workers[worker]) == oracle(self.root)
        self.server.pass_time(seconds)

    @rule(
        path=PATHS,
        writes=st.lists(st.tuples(WRITES, CONTENTS, st.booleans(), SECONDS), min_size=2, max_size=4),
        worker=st.integers(0, 1),
    )
    def rewrites(self, path: str, writes: list[tuple[str, bytes, bool, float]], worker: int) -> None:
        """One file is written again and again, and looked at each time."""
        for name, content, same_mtime, seconds in writes:
            self.changes([(name, (path, content, same_mtime))], seconds, worker)

    @rule(seconds=SECONDS, worker=st.integers(0, 1))
    def looks(self, seconds: float, worker: int) -> None:
        self.server.pass_time(seconds)
        assert listings_of(self.workers[worker]) == oracle(self.root)

    @rule(worker=st.integers(0, 1))
    def restarts(self, worker: int) -> None:
        self.workers[worker] = self.new_worker()

    @rule(step=MOVES | STEPS, calls=st.integers(0, 30), worker=st.integers(0, 1))
    def changes_during_a_validation(self, step: Step, calls: int, worker: int) -> None:
        before = paths_of(oracle(self.root))
        self.server.interrupt(lambda: self.change(step), after_calls=calls)
        found = {entry.relfn for entry in self.workers[worker].all_packages()}
        self.server.finish_interruption()
        assert found in (before, paths_of(oracle(self.root)))
        assert listings_of(self.workers[worker]) == oracle(self.root)

    @rule(
        step=MOVES | STEPS,
        calls=st.integers(0, 40),
        worker=st.integers(0, 1),
        project=st.sampled_from(["a", "a-1", "b"]),
    )
    def changes_during_a_page(self, step: Step, calls: int, worker: int, project: str) -> None:
        before = oracle(self.root).get(project, {})
        self.server.interrupt(lambda: self.change(step), after_calls=calls)
        found = listing_of(self.workers[worker], project) or {}
        self.server.finish_interruption()
        after = oracle(self.root).get(project, {})
        assert found.keys() in (before.keys(), after.keys())
        # Not all before or all after: a page is made file by file, and one change may reach several through links.
        for path, listed in found.items():
            # The file and its yank are two, and a change of one may come between.
            assert listed[:2] in [state[path][:2] for state in (before, after) if path in state]
            assert listed.yanked in [state[path].yanked for state in (before, after) if path in state]
        assert listings_of(self.workers[worker]) == oracle(self.root)

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root.parent)


def listing_of(index: PackageIndex, project: str) -> dict[str, Listed] | None:
    page = index.project_page(project, as_json=True)
    if page is None:
        return None
    files = json.loads(page.body)["files"]
    return {unquote(file["url"]).removeprefix("../../packages/"): listed(file) for file in files}


def listed(file: dict[str, Any]) -> Listed:
    reason = "" if file.get("yanked") is True else file.get("yanked")
    return Listed(file["hashes"]["sha256"], file.get("requires-python"), reason)


def listings_of(index: PackageIndex) -> Listings:
    projects = json.loads(index.root_page(as_json=True).body)["projects"]
    listings = {project["name"]: listing_of(index, project["name"]) for project in projects}
    return {project: listing for project, listing in listings.items() if listing is not None}


def oracle(root: Path) -> Listings:
    """What simple-dir finds: a fresh walk and a fresh hash of every file."""
    listings: Listings = defaultdict(dict)
    config = Config.default_with_overrides(roots=[root], authenticate=[], password_file=".")
    for package in WalkingBackend(config, RecordStore(root)).get_all_packages():
        path = Path(package.fn)
        metadata = core_metadata(io.BytesIO(path.read_bytes()), path.name)
        release = release_of(path.name, metadata)
        assert release is not None
        project = project_of_folder(package.relfn.rpartition("/")[0]) or release.project
        python = None if metadata is None else requires_python(metadata)
        digest = digest_file(str(path), "sha256").split("=")[1]
        listings[project][str(package.relfn)] = Listed(digest, python, yank_reason(root, package.relfn))
    return dict(listings)


def paths_of(listings: Listings) -> set[str]:
    return {path for listing in listings.values() for path in listing}


IndexModel.TestCase.settings = settings(stateful_step_count=25)
TestIndexModel = IndexModel.TestCase
