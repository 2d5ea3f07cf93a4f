"""The Dask cluster that loaders run on: one that the user has started, or one of this machine.

`distributed` is imported here alone, and only where a cluster is asked for: the import takes 0.8 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING

from bench.common.failures import UnavailableError, UsageError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_PATIENCE_S = 10.0
# A terminal sends these to every process that was started from it; the benchmark alone decides what they end.
_SIGNALS_OF_TERMINALS = (signal.SIGINT, signal.SIGHUP)
# Tasks stay with their workers, and nothing is served without a certificate.
_LOCAL_CONFIGURATION = {
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


@asynccontextmanager
async def scheduler_at(address: str) -> AsyncIterator[Client]:
    """Client of the scheduler at `address`, which stays as it is.

    Raises:
        UnavailableError: there is no scheduler at this address.
        UsageError: the address asks for TLS, and Dask's configuration names no certificate.
    """
    from distributed import Client

    _keep_quiet()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other versions: `require_agreement` refuses them
        client = Client(address, asynchronous=True, set_as_default=False, timeout=CONNECT_PATIENCE_S)
        try:
            # Dask waits without end for a listener that takes the connection and does not answer.
            async with asyncio.timeout(CONNECT_PATIENCE_S + 1):
                await client
        except Exception as error:
            await client.close(timeout=1)
            raise _connection_error(address, error) from error
    try:
        yield client
    finally:
        with contextlib.suppress(TimeoutError):  # of a scheduler that does not answer any more
            await client.close()


@asynccontextmanager
async def local_cluster(processes: int, folder: Path) -> AsyncIterator[Client]:
    """Client of a cluster of so many processes of this machine, which ends with the context.

    Args:
        folder: where the cluster writes its files.

    Raises:
        UnavailableError: the cluster does not start.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.security import Security

    _keep_quiet()
    configuration = {**_LOCAL_CONFIGURATION, "temporary-directory": str(folder)}
    with dask.config.set(configuration), _signals_kept_from_children():
        cluster = LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            asynchronous=True,
            # Without certificates, every local user could have the workers run code as this user.
            security=Security.temporary(),
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            memory_limit=None,
            silence_logs=logging.CRITICAL,
        )
        starting = asyncio.ensure_future(cluster)
        try:
            # A cluster that is half up cannot be closed.
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await starting
            await cluster.close()
            raise
        except RuntimeError as error:
            raise UnavailableError(f"--loaders {processes}: the Dask cluster does not start here ({error})") from error
    try:
        async with Client(cluster, asynchronous=True, set_as_default=False) as client:
            yield client
    finally:
        await cluster.close()


@contextmanager
def _signals_kept_from_children() -> Iterator[None]:
    """Block the signals of a terminal for processes that start meanwhile; this process gets them afterwards."""
    resource_tracker.ensure_running()  # a later start of it would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS_OF_TERMINALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _keep_quiet() -> None:
    """Silence Dask's own log here: the error of the load says the same once, for people."""
    for name in ("distributed", "distributed.client", "distributed.gc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _connection_error(address: str, error: Exception) -> UnavailableError | UsageError:
    if isinstance(error, TypeError | RuntimeError) and address.startswith("tls:"):
        return UsageError(
            f"--loaders {address}: TLS needs certificates: set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY"
        )
    return UnavailableError(
        f"--loaders {address}: no Dask scheduler answers there ({error}): start one with `dask scheduler`, or correct "
        "the address"
    )
