"""The Pulumi program, run in this process, and what its failure means.

It is the project's own `__main__.py`, the very file that `pulumi up` runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import runpy
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc  # type: ignore[import-untyped]
from pulumi import RunError
from pulumi.automation import CommandError
from pulumi.runtime import run_in_stack, set_all_config
from pulumi.runtime.settings import Settings, configure

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.engine.cloud import CloudError
from pypiserver_stack.rotate.command_error import first_error
from pypiserver_stack.settings import ConfigurationError

# A resource that is being made occupies a thread.
_THREADS = 64


class Program:
    """One evaluation of a project's program, by whichever engine; keeps what the program raised."""

    def __init__(self, project_dir: Path) -> None:
        self._path = project_dir / "__main__.py"
        self._lock = threading.Lock()
        self._over = False
        self._evaluation: asyncio.Task[None] | None = None
        self.error: Exception | None = None
        """Exception of the evaluation, unless the engine had given it up by then."""

    def evaluate(
        self, connect: Callable[[], Settings], config: Mapping[str, str], secret_keys: Collection[str] = ()
    ) -> None:
        """Run the program to its end, in this thread.

        The event loop is asyncio's own, whatever the main thread runs: the SDK relies on its insides.

        Args:
            connect: tells the SDK how to reach the engine. Called in the context that the program runs in, for that is
                where `Settings` keep what they are made with.
            config: the text of each namespaced key.
            secret_keys: which of these are secret.

        Raises:
            Exception: what the program or the engine raised.
            asyncio.CancelledError: `end` was called.
        """
        # A context in which no program has run before.
        contextvars.Context().run(self._evaluate, connect, config, secret_keys)

    def end(self) -> None:
        """End the evaluation, from another thread. Once its engine is gone, the SDK would wait for it forever."""
        with self._lock:
            self._over = True
            if self._evaluation is not None:
                self._evaluation.get_loop().call_soon_threadsafe(self._evaluation.cancel)

    def _evaluate(
        self, connect: Callable[[], Settings], config: Mapping[str, str], secret_keys: Collection[str]
    ) -> None:
        configure(connect())
        set_all_config(dict(config), list(secret_keys))
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            loop.set_default_executor(ThreadPoolExecutor(_THREADS))
            # The first failure ends the evaluation; the tasks that fail in its wake are not to be printed one by one.
            loop.set_exception_handler(lambda loop, context: None)
            try:
                runner.run(self._in_stack())
            except Exception as error:
                # What the SDK raises when the engine has ended the evaluation says nothing of why it has.
                if self.error is None and type(error) is not RunError and not isinstance(error, grpc.RpcError):
                    self.error = error
                raise

    async def _in_stack(self) -> None:
        with self._lock:
            self._evaluation = asyncio.current_task()
            if self._over:
                raise asyncio.CancelledError
        try:
            await run_in_stack(self._run_file)
        finally:
            with self._lock:
                self._evaluation = None

    def _run_file(self) -> None:
        try:
            with _garbage_kept():
                runpy.run_path(str(self._path), run_name="pypiserver_program")
        except Exception as error:
            # The SDK would sooner raise the failure of a request than what the program made of it.
            self.error = error
            raise


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """No garbage collection, which is a quarter of the time that importing pulumi_aws takes and finds nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def failure(error: Exception, of_program: Exception | None, of_cloud: Exception | None) -> Exception:
    """The error that an engine's `up` raises.

    Args:
        error: what the evaluation raised.
        of_program: what the program raised, if it did.
        of_cloud: the first request that failed, see `Evaluation.cause`.

    Returns:
        One of the given errors itself where it is neither the user's nor the cloud's: then it is a bug.
    """
    if isinstance(of_program, ConfigurationError):
        return UsageError(str(of_program))
    root = of_cloud or of_program or error
    if isinstance(root, CommandError):
        return UnavailableError(f"pulumi failed: {first_error(root)}")
    if isinstance(root, CloudError | RunError):
        return UnavailableError(str(root))
    return root
