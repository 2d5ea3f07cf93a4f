"""The files of the server: packed into the task definition, unpacked where the task runs."""

from __future__ import annotations

import base64
import io
import lzma
import tarfile
from pathlib import Path

CONTAINER_FOLDER = Path(__file__).parents[1] / "container"
FILES_VARIABLE = "SERVER_FILES"
# ECS takes 64 KiB of JSON for a task definition; what is in it beside the files has never needed half of this margin.
FILES_LIMIT_BYTES = (64 - 8) * 1024

_NOT_OF_THE_SERVER = {"__init__.py", "peer.gunicorn.conf.py"}

# `python -c BOOTSTRAP COMMAND...` in the container: unpack, go there, and become the command. Members are written one
# by one: no way to extract them all is free of warnings from Python 3.10 to 3.13.
BOOTSTRAP = f"""\
import base64, io, os, pathlib, sys, tarfile, tempfile
packed = base64.b64decode(os.environ.pop("{FILES_VARIABLE}"))
os.chdir(tempfile.mkdtemp())
with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
    for file in archive:
        pathlib.Path(file.name).write_bytes(archive.extractfile(file).read())
os.execvp(sys.argv[1], sys.argv[1:])
"""


def packed(folder: Path = CONTAINER_FOLDER) -> str:
    """The server's files as a .tar.xz in base64: the same text for the same files.

    Raises:
        ValueError: they are more than a task definition holds.
    """
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.glob("*.py")):
            if path.name not in _NOT_OF_THE_SERVER:
                # A TarInfo of its own has neither owner nor time.
                member, data = tarfile.TarInfo(path.name), path.read_bytes()
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    text = base64.b64encode(lzma.compress(content.getvalue(), preset=lzma.PRESET_EXTREME)).decode()
    if len(text) > FILES_LIMIT_BYTES:
        raise ValueError(
            f"the files in {folder} are {len(text)} bytes when packed, and a task definition holds "
            f"{FILES_LIMIT_BYTES} of them: make them smaller, or an image of them"
        )
    return text
