"""Agreement of the benchmark, the Dask scheduler and the workers on versions: Python, packages, this project's code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.common.failures import UsageError

if TYPE_CHECKING:
    from distributed import Client

# What sends the load, beside the packages that Dask itself compares.
PACKAGES = ("aiohttp", "numpy", "uvloop")
_CODE = Path(__file__).parents[2]


def code_digest() -> str:
    """SHA-256 of the names and contents of all Python files of `bench`."""
    digest = hashlib.sha256()
    for path in sorted(_CODE.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_CODE).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


async def require_agreement(client: Client, workers: Sequence[str]) -> None:
    """Refuse a cluster of other versions.

    Raises:
        UsageError: a version or the code of this project differs or is missing; the message says which and where.
    """
    # Its parameter `check` would only print a warning.
    versions = await client.get_versions(packages=PACKAGES)
    there = {"the Dask scheduler": versions["scheduler"]}
    there |= {f"worker {address}": versions["workers"].get(address) for address in workers}
    packages = {where: answer["packages"] if answer else {} for where, answer in there.items()}
    if differing := list(_differences(versions["client"]["packages"], packages)):
        raise UsageError(f"{'; '.join(differing)}: install the same versions on all sides")
    ours = code_digest()
    for address, digest in (await client.run(code_digest, workers=workers, on_error="return")).items():
        if isinstance(digest, Exception):
            raise UsageError(
                f"worker {address} cannot run the load ({digest}): install this project "
                "there, in the same version as here"
            )
        if digest != ours:
            raise UsageError(
                f"worker {address} has other code of this project ({digest[:12]} there, {ours[:12]} here): install "
                "the same version of it on all sides"
            )


def _differences(here: Mapping[str, Any], there: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A clause for each package whose version is another one somewhere."""
    for package, version in here.items():
        others: dict[str, list[str]] = {}
        for where, versions in there.items():
            if (other := versions.get(package)) != version:
                others.setdefault(str(other or "not installed"), []).append(where)
        if others:
            found = ", ".join(f"{other} on {' and '.join(places)}" for other, places in others.items())
            yield f"{package} is {version or 'not installed'} here, {found}"
