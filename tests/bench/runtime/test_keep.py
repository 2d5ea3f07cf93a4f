"""A kept stack says what to type, and that can be typed whatever the path to its credentials is."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from bench.index.target import Target
from bench.runtime.keep import credentials_file, invitation

TARGET = Target("http://127.0.0.1:8080", "uploader", "s3cret")


def test_the_lines_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "my tmp; $(it's)"
    folder.mkdir()
    credentials = credentials_file(folder, TARGET)
    _, where, pip, twine = invitation(TARGET.url, credentials)

    assert shlex.split(where) == ["credentials:", str(credentials)]
    show = 'pip() { cat "$NETRC"; }; twine() { echo "$TWINE_USERNAME:$TWINE_PASSWORD"; }'
    typed = subprocess.run(["bash", "-c", f"{show}\n{pip}\n{twine}"], capture_output=True, text=True, check=True)
    assert typed.stdout == "machine 127.0.0.1 login uploader password s3cret\nuploader:s3cret\n"
    assert typed.stderr == ""
