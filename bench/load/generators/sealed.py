"""Values that carry a password through Dask, whose logs and dashboard must not show it."""

from __future__ import annotations

import pickle
import zlib
from typing import Generic, TypeVar

T = TypeVar("T")


class Sealed(Generic[T]):
    """One value in transit: neither its repr, which Dask logs where a call fails, nor its pickled bytes show it.

    It is not encrypted: on a network that others can read, use TLS.
    """

    def __init__(self, value: T) -> None:
        self._packed = zlib.compress(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL), level=1)

    def open(self) -> T:
        value: T = pickle.loads(zlib.decompress(self._packed))
        return value

    def __repr__(self) -> str:
        return "<sealed>"
