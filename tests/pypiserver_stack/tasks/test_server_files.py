"""The server's files on their way: packed, carried in the environment, unpacked, and the command started among them."""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pypiserver_stack.tasks.container_definition import APPLICATION, GUNICORN_CONFIG
from pypiserver_stack.tasks.server_files import (
    BOOTSTRAP,
    CONTAINER_FOLDER,
    FILES_LIMIT_BYTES,
    FILES_VARIABLE,
    packed,
    without_comments,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "index").mkdir(parents=True)
    for name in ("__init__.py", "wsgi.py", "index/__init__.py", "index/pages.py", "notes.txt"):
        (folder / name).write_text(f"name = '{name}, für'\n", "utf-8")
    return folder


def unpacked(text: str) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(text)), mode="r:bz2") as archive:
        return {name: file.read() for name in archive.getnames() if (file := archive.extractfile(name))}


def test_every_file_of_the_server_is_packed_and_no_other(folder: Path) -> None:
    names = ("__init__.py", "wsgi.py", "index/__init__.py", "index/pages.py")
    assert unpacked(packed(folder)) == {
        "pypiserver_stack/__init__.py": b"",
        **{f"pypiserver_stack/container/{name}": (folder / name).read_bytes() for name in names},
    }


SOURCE = '''"""A module.

Of two paragraphs.
"""

# A remark.
NUMBER = 1  # and another
"""An attribute."""
TEXT = "# no comment"


class Only:
    """A class of nothing else."""


def function() -> str:
    """A function."""
    # A remark.
    return """not a
    # docstring"""
'''
CODE = '''




NUMBER = 1

TEXT = "# no comment"


class Only:
    """A class of nothing else."""


def function() -> str:


    return """not a
    # docstring"""
'''


def test_comments_and_docstrings_stay_behind_and_statements_keep_their_lines() -> None:
    assert [line.rstrip() for line in without_comments(SOURCE).splitlines()[6:]] == [
        line.rstrip() for line in CODE.splitlines()[5:]
    ]
    assert without_comments(SOURCE).count("\n") == SOURCE.count("\n")


@pytest.mark.parametrize("path", sorted(CONTAINER_FOLDER.rglob("*.py")), ids=lambda path: path.stem)
def test_each_file_of_the_server_does_what_it_did(path: Path) -> None:
    def statements(source: str) -> list[tuple[int, str]]:
        return [
            (node.lineno, type(node).__name__)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.stmt) and not isinstance(getattr(node, "value", None), ast.Constant)
        ]

    source = path.read_text()
    assert statements(without_comments(source)) == statements(source)


def test_the_same_files_are_the_same_text(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    (copy / "index").mkdir(parents=True)
    for path in sorted(filter(Path.is_file, folder.rglob("*")), reverse=True):
        copied = copy / path.relative_to(folder)
        copied.write_bytes(path.read_bytes())
        os.utime(copied, (1, 1))
        copied.chmod(0o600)
    assert packed(copy) == packed(folder)
    (copy / "index" / "pages.py").write_text("another = 1")
    assert packed(copy) != packed(folder)


def test_the_files_of_the_image_come_whole_and_fit() -> None:
    names = {str(path.relative_to(CONTAINER_FOLDER.parents[1])) for path in CONTAINER_FOLDER.rglob("*.py")}
    module, _, _ = APPLICATION.partition(":")
    started = {GUNICORN_CONFIG, f"{module.replace('.', '/')}.py"}
    assert started <= names
    assert set(unpacked(packed())) == {"pypiserver_stack/__init__.py", *names}


def test_files_that_a_task_definition_cannot_hold_are_refused(folder: Path) -> None:
    (folder / "noise.py").write_text(f"noise = {random.Random(1).randbytes(FILES_LIMIT_BYTES)!r}\n")
    with pytest.raises(ValueError, match=rf"a task definition holds {FILES_LIMIT_BYTES} of them"):
        packed(folder)


REPORT = """
import json, os, pathlib, sys
here = pathlib.Path.cwd()
print(json.dumps({
    "folder": str(here), "mode": here.stat().st_mode & 0o777, "pid": os.getpid(),
    "arguments": sys.argv[1:], "environment": dict(os.environ),
    "files": {str(path.relative_to(here)): path.read_text("utf-8") for path in here.rglob("*.py")},
}))
"""


def test_the_command_starts_among_the_files_in_a_folder_of_its_own(folder: Path, tmp_path: Path) -> None:
    environment = {
        FILES_VARIABLE: packed(folder),
        "PATH": os.defpath,
        "TMPDIR": str(tmp_path),
        "PYTHONWARNINGS": "error",
        "KEPT": "yes",
    }
    command = [sys.executable, "-c", BOOTSTRAP, sys.executable, "-c", REPORT, "--bind", "0.0.0.0:8080"]
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = process.communicate(timeout=60)
    assert errors == b""
    report = json.loads(output)
    assert report["arguments"] == ["--bind", "0.0.0.0:8080"]
    assert report["files"] == {name: text.decode() for name, text in unpacked(packed(folder)).items()}
    assert Path(report["folder"]).parent == tmp_path
    assert report["mode"] == 0o700
    assert report["pid"] == process.pid  # a signal to stop reaches the command itself
    assert FILES_VARIABLE not in report["environment"]
    assert report["environment"]["KEPT"] == "yes"
