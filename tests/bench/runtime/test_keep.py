"""A kept stack says what to type, and that can be typed whatever the path to its credentials is."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from bench.index.target import Target
from bench.runtime.keep import credentials_files, invitation

URL = "http://127.0.0.1:8080"
READER, UPLOADER = Target(URL, "reader", "r3ads"), Target(URL, "uploader", "upl0ads")


def test_the_lines_can_be_pasted(tmp_path: Path) -> None:
    folder = tmp_path / "my tmp; $(it's)"
    folder.mkdir()
    credentials = credentials_files(folder, Target(URL, "admin", "s3cret", READER, UPLOADER))
    _, where, of_reader, of_uploader, pip, twine = invitation(URL, credentials)

    assert shlex.split(where) == ["credentials:", str(credentials["admin"])]
    assert shlex.split(of_reader)[-1] == str(credentials["read"])
    assert shlex.split(of_uploader)[-1] == str(credentials["upload"])
    assert credentials["admin"].read_text() == "machine 127.0.0.1 login admin password s3cret\n"
    assert {path.stat().st_mode & 0o777 for path in credentials.values()} == {0o600}
    show = 'pip() { cat "$NETRC"; }; twine() { echo "$TWINE_USERNAME:$TWINE_PASSWORD"; }'
    typed = subprocess.run(["bash", "-c", f"{show}\n{pip}\n{twine}"], capture_output=True, text=True, check=True)
    assert typed.stdout == "machine 127.0.0.1 login reader password r3ads\nuploader:upl0ads\n"
    assert typed.stderr == ""


def test_an_index_of_one_user_has_one_file(tmp_path: Path) -> None:
    credentials = credentials_files(tmp_path, Target(URL, "user", "s3cret"))
    assert list(credentials) == ["admin"]
    assert str(credentials["admin"]) in invitation(URL, credentials)[-1]
