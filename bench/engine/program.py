"""The Pulumi program: the project's own `__main__.py`, the very file that `pulumi up` runs, run in this process."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path


class Program:
    """Called by an engine where a program belongs; keeps what the program raised, of which engines pass on the text."""

    def __init__(self, project_dir: Path) -> None:
        self._path = project_dir / "__main__.py"
        self.error: Exception | None = None

    def __call__(self) -> None:
        # The first failure ends the program. Tasks that fail in its wake are not to be printed one by one, nor to stop
        # the loop, as the SDK's own handler does, while it is being cleaned up.
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        try:
            runpy.run_path(str(self._path), run_name="pypiserver_program")
        except Exception as error:
            self.error = error
            raise
