"""The virtual environment that make works in: .venv, with the versions in constraints.txt.

    python3 tools/environment.py EXTRA

installs the project with one of its extras: `bench`, `dev` or `benchmarks`. uv installs, in a fraction of the time that
pip takes; where uv cannot be had, pip installs. Runs on the system's Python, before anything is installed.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# These are in every environment that the key is in.
CONTAINS = {"dev": ("bench",)}
# What pip is configured with, as uv's environment variables. The index may hold a password: no argument can.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
}


def main(extra: str) -> None:
    """Installs the project with the extra, and leaves a stamp that make compares with the files it depends on.

    An installation that does not end leaves no stamp, and the next one begins with an empty environment.
    """
    refuse_python_without_ensurepip()
    started = time.monotonic()
    stamps = list(VENV.glob(".installed-*"))
    if not (stamps and PYTHON.exists()):
        make_empty()
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    with writable_cache():
        install(extra)
    for name in (extra, *CONTAINS.get(extra, ())):
        (VENV / f".installed-{name}").touch()
    print_progress(f"done in {time.monotonic() - started:.0f} s")


def refuse_python_without_ensurepip() -> None:
    """Debian has it in a package of its own; `python3 -m venv` fails without, and leaves half an environment."""
    # What was compiled may be left in its folder, which is then a namespace, and has no origin.
    if getattr(importlib.util.find_spec("ensurepip"), "origin", None) is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        sys.exit(
            f"{sys.executable} cannot make a virtual environment, because its module ensurepip is missing: install it "
            f"(Debian and Ubuntu: `apt install python{version}-venv`), or set PYTHON to another Python"
        )


def make_empty() -> None:
    print_progress(f"making .venv with {sys.executable}")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        sys.exit(f"{made.stdout}{VENV} could not be made: the message above says why")


def install(extra: str) -> None:
    wanted = ["-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[{extra}]"]
    print_progress(f"installing the packages of the extra `{extra}`; the first time, 100 to 200 MB are downloaded")
    if install_with_uv(wanted):
        return
    print_progress("uv cannot install here: pip does, which takes some minutes")
    if subprocess.run([*pip("install"), *wanted]).returncode:
        sys.exit("the packages could not be installed: the message above says why")


def install_with_uv(wanted: list[str]) -> bool:
    """Whether uv could be had and has installed. A version that has no wheel for this machine is not built."""
    get_uv = [*pip("install"), "--quiet", "--only-binary=:all:", *wanted[:2], "uv"]
    if subprocess.run(get_uv, stderr=subprocess.DEVNULL).returncode:
        return False
    # On a terminal uv shows how far it is.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    command = [str(VENV / "bin" / "uv"), "pip", "install", *quiet, "--python", str(PYTHON), *wanted]
    return subprocess.run(command, env={**configuration_of_pip(), **os.environ}).returncode == 0


def configuration_of_pip() -> dict[str, str]:
    """Where pip takes packages from, for uv, which does not read pip's configuration."""
    listed = subprocess.run([*pip("config"), "list"], stdout=subprocess.PIPE, text=True).stdout
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    variables = {}
    for section in ("global", "install", ":env:"):  # the last one holds
        for key, variable in UV_VARIABLES.items():
            if value := settings.get(f"{section}.{key}"):
                separator = "," if key == "find-links" else " "
                variables[variable] = separator.join(ast.literal_eval(value).split())
    return variables


def pip(command: str) -> list[str]:
    return [str(PYTHON), "-m", "pip", command, "--disable-pip-version-check"]


@contextmanager
def writable_cache() -> Iterator[None]:
    """Gives pip and uv a cache of their own where the user's cannot be written, as without a home."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except (OSError, RuntimeError):
        with tempfile.TemporaryDirectory() as temporary:
            for name in ("PIP_CACHE_DIR", "UV_CACHE_DIR"):
                os.environ.setdefault(name, temporary)
            yield
    else:
        yield


def print_progress(message: str) -> None:
    print(f"setup: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        print_progress("interrupted: the next make begins anew")
        sys.exit(130)
