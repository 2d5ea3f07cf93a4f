"""The files of the task import each other as they do in the container: from one folder on the path."""

from __future__ import annotations

import sys
from pathlib import Path

CONTAINER = Path(__file__).parents[3] / "pypiserver_stack" / "container"

sys.path.insert(0, str(CONTAINER))
