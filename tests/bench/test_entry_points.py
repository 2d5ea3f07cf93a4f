"""Every program of the project ends with a documented exit code and one sentence, never with a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.command_line import ROOT

PROGRAMS = (
    "bench",
    "tools.docs.cost_page",
    "tools.docs.diagram",
    "bench.schema report",
    "tools.microbenchmarks gate_false_alarms",
    "tools.microbenchmarks index_cost",
    "tools.microbenchmarks large_index",
    "tools.microbenchmarks load_generator",
    "tools.microbenchmarks server_profile",
    "tools.microbenchmarks upload_cost",
    "tools.microbenchmarks upload_stall",
    "pypiserver_stack.rotate --stack prod",
    "tools.docs.settings_table",
    "tools.image_digest",
)
# Processes that programs start, not people.
INTERNAL = {
    "bench/deployment/aws/stacks/watchdog.py",
    "bench/load/generators/worker.py",
    "bench/packages/worker.py",
    "bench/pytest_plugin.py",
    "bench/runtime/scratch.py",
    "tools/environment.py",  # runs before anything is installed
    "tools/microbenchmarks/load_generator.py",
}


def ended(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def program(body: str) -> tuple[str, str]:
    return "-c", f"import os, sys\nfrom pypiserver_stack.common.entry_point import *\nstart_program(lambda: {body})"


@pytest.mark.parametrize("command", PROGRAMS)
def test_a_missing_package_is_a_sentence(command: str) -> None:
    done = ended("-S", "-m", *command.split())

    assert done.returncode == 2
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("Error: ")
    assert "is not installed here" in sentence


@pytest.mark.parametrize(
    "command",
    [
        "tools.docs.cost_page x",
        "tools.docs.diagram x",
        "bench.schema x",
        "bench.schema",
        "tools.microbenchmarks x",
        "tools.docs.settings_table x",
    ],
)
def test_a_wrong_argument_is_a_sentence(command: str) -> None:
    done = ended("-m", *command.split())

    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("Error: ")


def test_every_module_that_a_person_starts_is_one_of_these() -> None:
    modules = [path for folder in ("bench", "tools", "pypiserver_stack") for path in ROOT.glob(f"{folder}/**/*.py")]
    started = {
        path.relative_to(ROOT).as_posix()
        for path in modules
        if path.name == "__main__.py" or 'if __name__ == "__main__"' in path.read_text()
    }
    by_name = {
        name if (ROOT / name).exists() else name.replace(".py", "/__main__.py")
        for name in (f"{command.split()[0].replace('.', '/')}.py" for command in PROGRAMS)
    }
    assert started - INTERNAL == by_name
    assert all("start_program(main)" in (ROOT / name).read_text() for name in by_name)


ENDINGS = {
    "a refused value": ("(_ for _ in ()).throw(UserError('--packages 0: at least 1 is needed'))", 2, "--packages 0"),
    "an exit code of its own": ("(_ for _ in ()).throw(UserError('gone', 4))", 4, "Error: gone"),
    "a file that is not there": ("open('/proc/nope', 'w')", 1, "No such file or directory: /proc/nope"),
    "an exit": ("sys.exit(3)", 3, ""),
    "an outdated package": ("exec('from click import nope')", 2, "click is not installed here, or not as needed"),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_an_ending_is_an_exit_code(case: str) -> None:
    body, exit_code, message = ENDINGS[case]
    done = ended(*program(body))

    assert done.returncode == exit_code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_of_ours_shows_where_it_is() -> None:
    done = ended(*program("1 / 0"))

    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1].startswith("Error: internal error, please report it")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_is_130(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, *program("print('started', flush=True) or sys.stdin.read()")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert errors == "Error: interrupted\n"


@pytest.mark.parametrize("body", ["show('a\\n' * 100_000)", "print('a\\n' * 100_000)", "print('a')"])
def test_a_reader_that_is_gone_is_no_error(body: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, *program(body)], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_result_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *program("show('a')")],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )

    assert done.returncode == 1
    assert done.stderr == "Error: stdout cannot be written (No space left on device): write elsewhere\n"


@pytest.mark.parametrize(
    ("body", "exit_code"), [("sys.stderr.write('no end of a line')", 0), ("exec(\"raise UserError('no')\")", 2)]
)
def test_a_stderr_that_cannot_be_written_changes_no_exit_code(body: str, exit_code: int) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *program(body)],
            cwd=ROOT,
            # Of what is not buffered nothing is left to fail at the end.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            stdout=subprocess.DEVNULL,
            stderr=full,
            timeout=60,
        )

    assert done.returncode == exit_code


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict"])
def test_a_letter_that_the_output_does_not_know_is_no_error(encoding: str) -> None:
    done = ended(
        *program(r"print('caf\u00e9 \u2501 \udce9') or print('\u2501', file=sys.stderr)"), PYTHONIOENCODING=encoding
    )

    assert done.returncode == 0
    assert r"\u2501 \udce9" in done.stdout
    assert done.stderr == "\\u2501\n"
