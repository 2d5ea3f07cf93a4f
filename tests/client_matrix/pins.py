"""The clients of the matrix, each with the exact versions of all that its environment holds: `pins.txt`.

    python -m tests.client_matrix.pins

writes that file: older clients as `OLDER` has them, the others as new as they come, as `make lock` wants it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

PINS = Path(__file__).with_name("pins.txt")

CURRENT = ("pip", "uv", "poetry", "pdm", "pipenv", "twine", "flit", "hatch")
OLDER = {
    # The first with today's resolver; 22.3 to 23.1.2 crash on JSON listings with "dist-info-metadata" (PEP 714).
    "pip": ("20.3", "22.3", "23.0.1", "23.1.2", "24.0"),
    "uv": ("0.4.30",),
    "poetry": ("1.8.5",),
    "twine": ("3.8.0", "6.1.0"),
}
_FURTHER = {
    # What it uses and does not ask for: pkg_resources brought it in its time.
    "twine==3.8.0": "packaging",
    # pdm 2.29.4 asks for 1.4 and above, and does not start with 2.0.
    "pdm": "hishel<2",
}
_NOT_ON_PYTHON_3_12 = {("pip", "20.3"), ("pip", "22.3"), ("pip", "23.0.1")}


class Client(NamedTuple):
    """A client at one version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def is_current(self) -> bool:
        """Whether it is the newest of its name."""
        return self.version not in OLDER.get(self.name, ())

    @property
    def label(self) -> str:
        """Its name and version; its name alone where it is the current one, whichever that is."""
        return self.name if self.is_current else str(self)

    @property
    def runs_here(self) -> bool:
        """Whether this Python has what it imports: since 3.12 there is no pkgutil.ImpImporter."""
        return sys.version_info < (3, 12) or self not in _NOT_ON_PYTHON_3_12


@cache
def pinned() -> dict[Client, str]:
    """The requirements of each client's environment, by client, the oldest of each first."""
    sections = re.split(r"^# .*\n", PINS.read_text(), flags=re.MULTILINE)[1:]
    return {_client(wanted, section): section for wanted, section in zip(_wanted(), sections, strict=True)}


def _client(wanted: str, requirements: str) -> Client:
    name = wanted.partition("==")[0]
    (version,) = re.findall(rf"^{name}==(\S+)", requirements, flags=re.MULTILINE)
    return Client(name, version)


def _wanted() -> list[str]:
    return [wanted for name in CURRENT for wanted in (*(f"{name}=={version}" for version in OLDER.get(name, ())), name)]


def _resolved(wanted: str) -> str:
    resolve = [sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--python-version", "3.11"]
    requirements = f"{wanted}\n{_FURTHER.get(wanted, '')}\n"
    done = subprocess.run(
        [*resolve, "--no-header", "--no-annotate", "--quiet"],
        input=requirements,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return f"# {wanted}\n{done.stdout}"


if __name__ == "__main__":
    PINS.write_text("".join(map(_resolved, _wanted())))
