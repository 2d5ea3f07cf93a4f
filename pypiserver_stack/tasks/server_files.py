"""The files of the server: packed into the task definition, unpacked where the task runs."""

from __future__ import annotations

import ast
import base64
import bz2
import io
import tarfile
import tokenize
from pathlib import Path, PurePosixPath

CONTAINER_FOLDER = Path(__file__).parents[1] / "container"
FILES_VARIABLE = "SERVER_FILES"
# ECS takes 64 KiB of JSON for a task definition; what is in it beside the files has never needed half of this margin.
FILES_LIMIT_BYTES = (64 - 8) * 1024

# `python -c BOOTSTRAP COMMAND...` in the container: unpack, go there, and become the command. Members are written one
# by one: no way to extract them all is free of warnings from Python 3.10 to 3.13.
BOOTSTRAP = f"""\
import base64, io, os, pathlib, sys, tarfile, tempfile
packed = base64.b64decode(os.environ.pop("{FILES_VARIABLE}"))
os.chdir(tempfile.mkdtemp())
with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
    for file in archive:
        path = pathlib.Path(file.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.extractfile(file).read())
os.execvp(sys.argv[1], sys.argv[1:])
"""


def packed(folder: Path = CONTAINER_FOLDER) -> str:
    """The package `pypiserver_stack.container` as a .tar.bz2 in base64: the same text for the same files.

    Comments and docstrings stay behind. Every statement keeps its line: tracebacks name the lines of the repository.

    Raises:
        ValueError: the files are more than a task definition holds.
    """
    package = PurePosixPath("pypiserver_stack")
    # A package of its own: without it, a pypiserver_stack that is installed would hide this one.
    files = {package / "__init__.py": b""}
    for path in sorted(folder.rglob("*.py")):
        files[package / "container" / path.relative_to(folder)] = without_comments(path.read_text()).encode()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            # A TarInfo of its own has neither owner nor time.
            member = tarfile.TarInfo(str(name))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    text = base64.b64encode(bz2.compress(content.getvalue())).decode()
    if len(text) > FILES_LIMIT_BYTES:
        raise ValueError(
            f"the files in {folder} are {len(text)} bytes when packed, and a task definition holds "
            f"{FILES_LIMIT_BYTES} of them: make them smaller, or an image of them"
        )
    return text


def without_comments(source: str) -> str:
    """A module's source with empty lines in the place of its comments and docstrings."""
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    for node in ast.walk(ast.parse(source)):
        statements = getattr(node, "body", [])
        for statement in statements if isinstance(statements, list) and len(statements) > 1 else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                # A string for the reader, whether of a module, a class, a function or an attribute.
                first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
                lines[first:last] = ["\n"] * (last - first)
    return "".join(lines)
