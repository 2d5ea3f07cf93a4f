"""The Pulumi CLI as the Automation API calls it, cut off from the user's own Pulumi, and able to be stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from bench.common.failures import UnavailableError, UsageError

# The first that can refresh and destroy with the program in this process.
OLDEST_CLI = VersionInfo(3, 181)
_EVALUATING = ("up", "preview", "refresh", "destroy")


def find_pulumi() -> Path:
    """The user's `pulumi`.

    Raises:
        UsageError: there is none on PATH.
    """
    executable = shutil.which("pulumi")
    if executable is None:
        raise UsageError("there is no `pulumi` on PATH; install it, or use --engine embedded for a run on this machine")
    return Path(executable).absolute()


class PrivateCommand(PulumiCommand):
    """Runs `pulumi` in an environment of its own: nothing that the user's shell says to Pulumi gets through to it."""

    def __init__(self, executable: Path, environment: Mapping[str, str]) -> None:
        """
        Args:
            environment: variables besides the inherited ones that do not begin with PULUMI_.
        """
        # Not the base's: it runs `pulumi version` at once, in the user's environment.
        self.command = str(executable)
        self.version = None
        self.environment = dict(environment)
        self.language_host = ""
        """Address of what evaluates the program."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def check_version(self, cwd: Path) -> None:
        """Find out the version, which the Automation API wants to know; a `UsageError` where it is too old."""
        text = self.run(["version"], str(cwd), {}).stdout.strip()
        self.version = VersionInfo.parse(text.removeprefix("v"))
        if self.version < OLDEST_CLI:
            raise UsageError(f"pulumi {text} is too old: install {OLDEST_CLI} or newer, or use --engine embedded")

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """As the base class does it, but that output is not reported line by line.

        Raises:
            UnavailableError: after `stop`.
            CommandError: the command failed.
        """
        client = [f"--client={self.language_host}"] if args[0] in _EVALUATING else []
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        # Not pipes: the CLI would die of one that nobody reads any more, and with it what it has not yet written down.
        with _memory_file() as stdout, _memory_file() as stderr:
            with self._lock:
                if self._stopped:
                    raise UnavailableError("pulumi is being stopped")
                self._process = process = subprocess.Popen(
                    [self.command, "--non-interactive", *args, *client],
                    cwd=cwd,
                    env={**inherited, **self.environment, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    # A Ctrl-C at the terminal is for us, who then stop the command in an orderly way.
                    start_new_session=True,
                )
            process.wait()
            result = CommandResult(_content(stdout), _content(stderr), process.returncode)
        if process.returncode != 0:
            raise create_command_error(result)
        return result

    def stop(self, patience_s: float) -> None:
        """End the running command, and let none start until `resume`.

        It is interrupted, so that it finishes the requests it has sent and writes its state; after `patience_s` it is
        killed, which leaves the stack locked and its state behind.
        """
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def resume(self) -> None:
        """Let commands run again."""
        self._stopped = False


def _memory_file() -> IO[bytes]:
    """A file without a name, in memory where the system has that: what the CLI prints may hold passwords."""
    return os.fdopen(os.memfd_create("pulumi"), "w+b") if hasattr(os, "memfd_create") else TemporaryFile()


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
