"""Passwords that the tasks of a run accept."""

from __future__ import annotations

import json

import psutil

from bench.common.run_mark import RUN_VARIABLE
from pypiserver_stack.tasks.container_definition import CREDENTIALS_VARIABLES


def passwords_of(pid: int) -> set[str]:
    """Those of every role that the tasks of a run were started with.

    Args:
        pid: the process that conducts the run.
    """
    found: set[str] = set()
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:
            continue
        if not environment.get(RUN_VARIABLE, "").startswith(f"{pid}-"):
            continue
        for variable in CREDENTIALS_VARIABLES.values():
            if variable in environment:
                found.update(json.loads(environment[variable])["accepted_passwords"])
    return found
