"""pypiserver's way to its packages for an index whose files stay: something in front may have kept them."""

from __future__ import annotations

from typing import Any

from pypiserver.backend import BackendProxy
from pypiserver.bottle_wrapper import HTTPError


class WithoutRemoval(BackendProxy):  # type: ignore[misc]
    """Answers 403 to whoever asks to remove a package that there is."""

    def remove_package(self, pkg: Any) -> None:
        raise HTTPError(403, "Packages are not removed from this index.")
