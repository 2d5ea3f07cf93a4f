"""Whatever a project's files are, pip and uv take from its listing what the rules of `packaging` have them take."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, sys_tags
from packaging.version import Version

from tests.client_matrix.environments import executable
from tests.client_matrix.pins import pinned
from tests.pypiserver_stack.container.clients.real_clients import PackageClient, simple_url, start_index
from tests.pypiserver_stack.container.running_task import RunningTask
from tests.pypiserver_stack.container.small_packages import core_metadata, make_wheel

PYTHON = Version(".".join(map(str, sys.version_info[:3])))
RANKS = {tag: rank for rank, tag in enumerate(sys_tags())}
PLATFORM = next(tag for tag in RANKS if tag.interpreter.startswith("cp"))
VERSIONS = ["0.9", "1.0a1", "1.0", "1.0.post1", "1.0+local.2", "1.1.dev3", "1.1rc1", "1.1", "1!0.5", "1!0.6b2", "2.0"]
KINDS = ["py3-none-any", "py2.py3-none-any", "py2-none-any", str(PLATFORM), "cp36-cp36m-win_amd64", "sdist"]
REQUIRES_PYTHON = [">=3.8", ">=4", "<3", f"=={PYTHON.major}.{PYTHON.minor}.*", f"!={PYTHON}", f">={PYTHON},<4"]
SPECIFIERS = [
    "",
    "==1.0",
    "==1.1rc1",
    ">=1.0",
    "<1.1",
    "~=1.0",
    "!=1.1,>=0.9",
    ">=1.1.dev0",
    "==1.*",
    ">1!0",
    "<=1.0a1",
]
PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """
import pathlib

def prepare_metadata_for_build_wheel(folder, settings=None):
    name = "{stem}-{version}.dist-info"
    pathlib.Path(folder, name).mkdir()
    pathlib.Path(folder, name, "METADATA").write_bytes({metadata!r})
    return name
"""


class File(NamedTuple):
    """A file of a project."""

    version: str
    kind: str
    requires_python: str
    copied: bool
    """Into the directory, instead of uploaded."""


@dataclass(frozen=True)
class Project:
    """Files of a project, and those of its versions that are yanked."""

    files: list[File]
    yanked: set[str]


@st.composite
def _projects(draw: st.DrawFn) -> Project:
    # All files of a release are for the same Pythons: of others, pip looks at each and uv at one.
    pythons = draw(st.fixed_dictionaries(dict.fromkeys(VERSIONS, st.sampled_from([">=3.8"] * 3 + REQUIRES_PYTHON))))
    files = st.tuples(st.sampled_from(VERSIONS), st.sampled_from(KINDS), st.booleans())
    drawn = draw(st.lists(files, min_size=1, max_size=7, unique_by=lambda file: file[:2]))
    # Whether `==1.0` pins 1.0+local.2 enough to take it when yanked, pip and uv do not agree on.
    yankable = sorted({version for version, _, _ in drawn if "+" not in version})
    yanked = draw(st.sets(st.sampled_from(yankable), max_size=3)) if yankable else set()
    return Project([File(version, kind, pythons[version], copied) for version, kind, copied in drawn], yanked)


class Rules(NamedTuple):
    """Where installers differ."""

    kinds: set[str]
    """Of files that are looked at."""
    prereleases: bool | None
    """None has them where nothing else matches."""
    clauses: set[str]
    """Of Requires-Python that are heeded."""


PIP = Rules(set(KINDS), None, {">=", "<", "==", "!="})
# As the test starts it. Upper bounds it ignores by design.
UV = Rules(set(KINDS) - {"sdist"}, True, {">=", "=="})


def expected(project: Project, specifiers: str, rules: Rules) -> set[File]:
    """What an installer may take: PEP 440, 425, 345 and 592 as `packaging` has them."""
    fitting = [
        file
        for file in project.files
        if file.kind in rules.kinds and _rank(file) is not None and _is_for_this_python(file, rules)
    ]
    specifier = SpecifierSet(specifiers)
    matching = set(specifier.filter({file.version for file in fitting}, prereleases=rules.prereleases))
    left = [file for file in fitting if file.version in matching]
    # PEP 592: a yanked file is for a requirement that pins its version, where there is no other.
    current = [file for file in left if file.version not in project.yanked]
    if not current and any(one.operator == "==" and not one.version.endswith(".*") for one in specifier):
        current = left
    if not current:
        return set()
    newest = max(Version(file.version) for file in current)
    best = [file for file in current if Version(file.version) == newest]
    rank = min(_rank(file) or 0 for file in best)
    return {file for file in best if _rank(file) == rank}


def _rank(file: File) -> int | None:
    """Lower is better; None where it is not for this platform. Source distributions come last."""
    if file.kind == "sdist":
        return len(RANKS)
    interpreter, abi, platform = file.kind.split("-")
    ranks = [RANKS.get(Tag(one, abi, platform)) for one in interpreter.split(".")]
    return min((rank for rank in ranks if rank is not None), default=None)


def _is_for_this_python(file: File, rules: Rules) -> bool:
    clauses = [clause for clause in SpecifierSet(file.requires_python) if clause.operator in rules.clauses]
    return all(clause.contains(PYTHON, prereleases=True) for clause in clauses)


@dataclass
class Index:
    """A task, a second one over its directory that lists in HTML alone, and a pip that stays."""

    tasks: dict[str, RunningTask]
    client: PackageClient
    pip: subprocess.Popen[str]
    folder: Path

    def fill(self, name: str, project: Project) -> None:
        """Make a project of these files."""
        task = self.tasks["json"]
        for file in project.files:
            path = self._make(name, file)
            if file.copied:
                path.rename(task.packages / path.name)
            else:
                assert task.upload(path.name, path.read_bytes()) == 200
        for version in project.yanked:
            call = {":action": "yank", "name": name, "version": version, "reason": "broken"}
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            assert task.request("POST", "/", urlencode(call).encode(), form)[0] == 200

    def pip_takes(self, name: str, specifiers: str, listings: str) -> tuple[str, str] | None:
        """Version and kind; None where nothing fits."""
        report = self.folder / "report.json"
        options = ["--dry-run", "--ignore-installed", "--no-deps", "--no-cache-dir", "--no-build-isolation", "--quiet"]
        found = ["--report", str(report), "--index-url", simple_url(self.tasks[listings])]
        assert self.pip.stdin
        assert self.pip.stdout
        self.pip.stdin.write(f"{json.dumps(['install', *options, *found, f'{name}{specifiers}'])}\n")
        self.pip.stdin.flush()
        status, printed = json.loads(self.pip.stdout.readline())
        if status:
            assert "No matching distribution found" in printed, printed
            return None
        (item,) = json.loads(report.read_text())["install"]
        return item["metadata"]["version"], _kind(item["download_info"]["url"].rpartition("/")[2])

    def uv_takes(self, name: str, specifiers: str) -> str | None:
        """The version, of wheels alone and with pre-releases; None where nothing fits."""
        (self.client.work / "wanted.in").write_text(f"{name}{specifiers}\n")
        options = ["--no-deps", "--no-build", "--prerelease", "allow", "--no-header", "--no-annotate", "--no-cache"]
        arguments = ["pip", "compile", "--quiet", *options, "wanted.in", "--index-url", simple_url(self.tasks["json"])]
        process = self.client.start("uv", *arguments)
        printed = process.communicate(timeout=60)[0]
        if process.returncode:
            assert "No solution found" in printed, printed
            return None
        return str(printed.strip().partition("==")[2])

    def _make(self, name: str, file: File) -> Path:
        built = self.folder / "built"
        if file.kind != "sdist":
            wheel = make_wheel(built, name, file.version, requires_python=file.requires_python)
            return wheel.rename(built / wheel.name.replace("py3-none-any", file.kind))
        metadata = core_metadata(name, file.version, (), file.requires_python)
        backend = BACKEND.format(stem=name, version=file.version, metadata=metadata)
        files = {"PKG-INFO": metadata, "pyproject.toml": PYPROJECT, "backend.py": backend.encode()}
        sdist = built / f"{name}-{file.version}.tar.gz"
        built.mkdir(exist_ok=True)
        with tarfile.open(sdist, "w:gz") as archive:
            for path, content in files.items():
                member = tarfile.TarInfo(f"{name}-{file.version}/{path}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return sdist


def _kind(filename: str) -> str:
    return "-".join(filename.removesuffix(".whl").split("-")[-3:]) if filename.endswith(".whl") else "sdist"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("resolution")
    client = PackageClient(folder / "home")
    current = next(client for client in pinned() if client.name == "pip" and client.is_current)
    with ExitStack() as running:
        task = running.enter_context(start_index(folder / "json", PYPISERVER_BUILDS="true"))
        html = running.enter_context(start_index(folder / "html", packages=task.packages, listings="html"))
        service = Path(__file__).with_name("pip_service.py")
        pip = running.enter_context(
            subprocess.Popen(
                [executable(current).with_name("python"), service],
                cwd=client.work,
                env={"HOME": str(client.home), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_PROXY": "127.0.0.1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        yield Index({"json": task, "html": html}, client, pip, folder)


NAMES = count()


@pytest.mark.timeout(1800)
@settings(
    max_examples=settings().max_examples if settings.get_current_profile_name() == "thorough" else 15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(project=_projects(), specifiers=st.lists(st.sampled_from(SPECIFIERS), min_size=1, max_size=3, unique=True))
def test_a_client_takes_what_the_rules_have_it_take(index: Index, project: Project, specifiers: list[str]) -> None:
    name = f"demo{next(NAMES)}"
    index.fill(name, project)
    for specifier in specifiers:
        files = {(file.version, file.kind) for file in expected(project, specifier, PIP)}
        for listings in index.tasks:
            taken = index.pip_takes(name, specifier, listings)
            assert taken in files if files else taken is None, (specifier, listings, taken, files)
        versions = {file.version for file in expected(project, specifier, UV)}
        version = index.uv_takes(name, specifier)
        assert version in versions if versions else version is None, (specifier, version, versions)
