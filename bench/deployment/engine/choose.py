"""Choice of the engine of a local run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from bench.deployment.engine import Engine
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.cloud import InProcessCloud
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.engine.workspace import Workspace


def choose(
    name: Literal["auto", "pulumi", "embedded"], cloud: InProcessCloud, project_dir: Path, work_dir: Path
) -> Engine:
    """An engine by its name; `auto` is `pulumi` where that command is on PATH, else `embedded`.

    Args:
        project_dir: the folder of the program.
        work_dir: a folder of the run's own, for all that the engine writes; the embedded one writes nothing.

    Raises:
        UsageError: `pulumi` is asked for, and there is none.
    """
    if name == "pulumi" or (name == "auto" and shutil.which("pulumi")):
        return AutomationEngine(cloud, project_dir, Workspace.within(work_dir))
    return EmbeddedEngine(cloud, project_dir)
