"""The machine that a run was measured on, as far as it decides how fast."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import psutil

from bench.common.cores import usable_cores
from bench.report.outcome import Machine


def this_machine() -> Machine:
    """The machine and interpreter that this process runs on."""
    return Machine(
        cpu_model=_cpu_model(),
        cores=usable_cores(),
        memory_mb=psutil.virtual_memory().total >> 20,
        os=platform.platform(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
    )


def _cpu_model() -> str:
    """From /proc/cpuinfo, in which x86 has a name, arm64 only the numbers of implementer and part."""
    try:
        cpu_info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except FileNotFoundError:  # not Linux: `bench load` works there
        return platform.processor() or platform.machine()
    fields = dict(re.findall(r"^(.+?)\s*:[ \t]*(.*)$", cpu_info, flags=re.MULTILINE))
    if "model name" in fields:
        return str(fields["model name"])
    return f"{platform.machine()} implementer {fields.get('CPU implementer', '?')} part {fields.get('CPU part', '?')}"
