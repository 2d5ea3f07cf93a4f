"""How make installs into .venv: the Makefile and tools/environment.py as they are, pip and uv replaced by scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Takes the place of the standard library's, and makes an environment whose commands write down how they are called.
VENV_MODULE = '''
import os, shutil, sys
from pathlib import Path

assert sys.argv[1] == "--clear"
folder = Path(sys.argv[2])
shutil.rmtree(folder, ignore_errors=True)
(folder / "bin").mkdir(parents=True)
python = folder / "bin" / "python"
python.write_text("""#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
*" uv") test -z "$NO_UV" && ln -sf python "${0%python}uv" ;;
*" pip config "*) echo "global.index-url='https://user:secret@index.example/simple'" ;;
"pip install"*) echo "index $UV_DEFAULT_INDEX
cache $UV_CACHE_DIR" >>"$CALLS"; test -z "$UV_FAILS" ;;
*) test -z "$PIP_FAILS" ;;
esac
""")
python.chmod(0o755)
with open(os.environ["CALLS"], "a") as calls:
    calls.write("venv\\n")
'''


class Checkout:
    """A checkout of what make installs with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir(parents=True)
        for name in ("Makefile", "tools/environment.py"):
            shutil.copy(ROOT / name, folder / name)
        for name in ("pyproject.toml", "constraints.txt", "calls"):
            (folder / name).touch()
        self.modules = folder / "modules"
        self.modules.mkdir()
        (self.modules / "venv.py").write_text(VENV_MODULE)

    def make(self, *arguments: str, exit_code: int = 0, environment: Mapping[str, str] = {}) -> str:
        """What make prints on both streams."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        done = subprocess.run(
            ["make", f"PYTHON={sys.executable}", *arguments],
            cwd=self.folder,
            env={
                **inherited,
                "PYTHONPATH": str(self.modules),
                "CALLS": str(self.folder / "calls"),
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == exit_code, done.stdout
        return done.stdout

    def calls(self) -> list[str]:
        """What was called since they were last asked for, paths relative."""
        calls = (self.folder / "calls").read_text().replace(f"{self.folder}/", "").splitlines()
        (self.folder / "calls").write_text("")
        return calls


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


GET_UV = [
    "venv",
    "python -m pip install --disable-pip-version-check --quiet --only-binary=:all: -c constraints.txt uv",
]
USE_UV = [
    "python -m pip config --disable-pip-version-check list",
    "python pip install --quiet --python .venv/bin/python -c constraints.txt -e {}",
    "index https://user:secret@index.example/simple",
    "cache ",
]
USE_PIP = "python -m pip install --disable-pip-version-check -c constraints.txt -e {}"


def with_extra(calls: list[str], folder: Path, extra: str) -> list[str]:
    return [call.format(f"{folder}[{extra}]") for call in calls]


def test_the_benchmark_gets_its_own_extra_alone_and_its_options(checkout: Checkout) -> None:
    printed = checkout.make("bench", "ARGS=--clients 50").splitlines()
    assert checkout.calls() == [
        *with_extra([*GET_UV, *USE_UV], checkout.folder, "bench"),
        "python -m bench --clients 50",
    ]
    assert [line.partition(":")[0] for line in printed[:3]] == ["setup"] * 3
    assert checkout.make("bench") == ".venv/bin/python -m bench\n"
    assert checkout.calls() == ["python -m bench"]


def test_development_adds_to_it_and_contains_it(checkout: Checkout) -> None:
    checkout.make("bench")
    checkout.calls()
    checkout.make("install")
    assert checkout.calls() == with_extra([*GET_UV[1:], *USE_UV], checkout.folder, "dev")
    assert checkout.make("bench") == ".venv/bin/python -m bench\n"


def test_other_versions_are_installed_over_the_old_ones(checkout: Checkout) -> None:
    checkout.make("install")
    checkout.calls()
    later = time.time() + 10
    os.utime(checkout.folder / "constraints.txt", (later, later))
    checkout.make("bench")
    assert checkout.calls()[:-1] == with_extra([*GET_UV[1:], *USE_UV], checkout.folder, "bench")


@pytest.mark.parametrize(("reason", "before"), [("NO_UV", GET_UV), ("UV_FAILS", [*GET_UV, *USE_UV])])
def test_pip_installs_where_uv_cannot(reason: str, before: list[str], checkout: Checkout) -> None:
    printed = checkout.make("install", environment={reason: "1"})
    assert "setup: uv cannot install here: pip does, which takes some minutes\n" in printed
    assert checkout.calls() == with_extra([*before, USE_PIP], checkout.folder, "dev")


def test_an_installation_that_did_not_end_is_begun_anew(checkout: Checkout) -> None:
    checkout.make("bench")
    failed = checkout.make("install", exit_code=2, environment={"UV_FAILS": "1", "PIP_FAILS": "1"})
    assert "the packages could not be installed: the message above says why" in failed
    checkout.calls()
    checkout.make("install")
    assert checkout.calls()[0] == "venv"


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.make("bench")
    (checkout.folder / ".venv" / "bin" / "python").unlink()
    checkout.calls()
    checkout.make("install")
    assert checkout.calls()[0] == "venv"


def test_a_python_without_ensurepip_is_refused_in_one_sentence(checkout: Checkout) -> None:
    (checkout.modules / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None")
    sentence, makes = checkout.make("bench", exit_code=2).splitlines()
    assert sentence == (
        f"{sys.executable} cannot make a virtual environment, because its module ensurepip is missing: install it "
        f"(Debian and Ubuntu: `apt install python3.{sys.version_info.minor}-venv`), or set PYTHON to another Python"
    )
    assert makes.startswith("make: ***")
    assert not (checkout.folder / ".venv").exists()


def test_without_a_home_nothing_is_left_but_the_environment(checkout: Checkout) -> None:
    # Without one, uv keeps its cache in the folder that it is called in.
    (checkout.folder / "file").touch()
    checkout.make("bench", environment={"XDG_CACHE_HOME": str(checkout.folder / "file" / "cache")})
    (cache,) = (call.removeprefix("cache ") for call in checkout.calls() if call.startswith("cache "))
    assert Path(cache).is_absolute()
    assert not Path(cache).exists()
