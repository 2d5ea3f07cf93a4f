"""A process that builds wheels: `python -m bench.packages.worker JOBS RESULTS_FD`.

JOBS is a file of JSON, a list of `WheelJob`s; what is built lands beside it in `wheels/`. One line of JSON goes to the
descriptor RESULTS_FD for each wheel. When the process that reads them ends, by whatever means, the next line has no
reader and this process ends too.

The wheels are the same to the last byte on every machine: the data comes from a bit generator whose stream numpy
promises to keep, timestamps are fixed, and the archive is stored, because the output of deflate differs between zlib
and zlib-ng (and the data does not shrink anyway).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import runpy
import shutil
import sys
import traceback
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from build import BuildBackendException, ProjectBuilder

from bench.common.failures import is_disk_full

SOURCE_DATE_EPOCH = "1577836800"  # 2020-01-01: zip has no time before 1980


class WheelJob(TypedDict):
    """One wheel to build: `data_bytes` of noise, drawn from `data_seed` (hex)."""

    name: str
    version: str
    data_bytes: int
    data_seed: str


class Result(TypedDict, total=False):
    """A wheel that was built (`filename`, `sha256` in hex), or why this process ends (`error`, `disk_full`)."""

    filename: str
    sha256: str
    error: str
    disk_full: bool


_PYPROJECT = """\
[build-system]
requires = ["flit_core >=4,<5"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "{version}"
description = "{data_bytes} bytes of noise, to load a package index with"
requires-python = ">=3.8"
"""


def main(jobs_path: Path, results_fd: int) -> int:
    """Build all of `jobs_path`; the exit status is 1 where a wheel could not be built."""
    os.environ["SOURCE_DATE_EPOCH"] = SOURCE_DATE_EPOCH
    jobs: list[WheelJob] = json.loads(jobs_path.read_text())
    try:
        for job in jobs:
            _report(results_fd, _build(job, jobs_path.parent))
    except BrokenPipeError:
        return 1
    except Exception as error:
        # What a hook raises arrives wrapped.
        cause = error.exception if isinstance(error, BuildBackendException) else error
        _report(results_fd, {"error": f"{type(cause).__name__}: {cause}"[:1000], "disk_full": is_disk_full(cause)})
        traceback.print_exc()  # last: the log lies on the same disk, which may be full
        return 1
    return 0


def _report(results_fd: int, result: Result) -> None:
    # All workers share the pipe: a line this short (below PIPE_BUF) is written whole.
    os.write(results_fd, json.dumps(result).encode() + b"\n")


def _build(job: WheelJob, folder: Path) -> Result:
    project = folder / f"{job['name']}-{job['version']}"
    _write_project(job, project)
    built = Path(ProjectBuilder(project, runner=_run_hook_in_process).build("wheel", project / "dist"))
    wheel = folder / "wheels" / built.name
    _store(built, wheel)
    shutil.rmtree(project)
    with wheel.open("rb") as content:
        return {"filename": wheel.name, "sha256": hashlib.file_digest(content, "sha256").hexdigest()}


def _write_project(job: WheelJob, project: Path) -> None:
    module = project / "src" / job["name"].replace("-", "_")
    module.mkdir(parents=True)
    (project / "pyproject.toml").write_text(_PYPROJECT.format(**job))
    (module / "__init__.py").write_text(
        f'"""Noise, to load a package index with."""\n\n__version__ = "{job["version"]}"\n'
    )
    words = np.random.PCG64(int(job["data_seed"], 16)).random_raw(-(-job["data_bytes"] // 8))
    (module / "data.bin").write_bytes(words.astype("<u8").tobytes()[: job["data_bytes"]])


def _run_hook_in_process(
    cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
) -> None:
    """Run `build`'s hook script in this interpreter: starting another for each wheel would take most of the time."""
    _, script, *arguments = cmd
    os.environ.update(extra_environ or {})
    sys.argv = [script, *arguments]
    with contextlib.chdir(cwd or "."):
        runpy.run_path(script, run_name="__main__")


def _store(deflated: Path, wheel: Path) -> None:
    """Copy an archive member by member, uncompressed: flit_core deflates, and has no option."""
    with zipfile.ZipFile(deflated) as source, zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as target:
        for member in source.infolist():
            stored = zipfile.ZipInfo(member.filename, member.date_time)
            stored.external_attr = member.external_attr
            target.writestr(stored, source.read(member))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
