"""checkov run over plans: in an environment of its own, without the network and without anybody's configuration."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.registry import install

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".tools" / "checkov"
CONSTRAINTS = Path(__file__).with_name("constraints.txt")


@dataclass(frozen=True, order=True)
class CheckResult:
    """What one check says of one resource."""

    plan: str
    check: str
    resource: str
    """`aws_vpc.net`"""
    title: str
    """What the check asks for."""


@dataclass(frozen=True)
class ScanReport:
    """What all checks say of all resources that they look at."""

    passed: frozenset[CheckResult]
    failed: frozenset[CheckResult]
    resource_count: int
    """How many resources were read, looked at or not."""


def scanned(plans: Mapping[str, Mapping[str, Any]], folder: Path) -> ScanReport:
    """All of checkov's checks of AWS over plans, each for itself.

    Args:
        plans: by name.
        folder: an empty one, where the plans are written.
    """
    files = []
    for name, plan in plans.items():
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(plan, indent=1))
    command = [_checkov(), "--framework", "terraform_plan", "--skip-download", "--output", "json", "--soft-fail"]
    # Its own environment: a key in the caller's would have it send the findings away.
    run = subprocess.run(
        [*command, "--file", *map(str, files)],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return _read(json.loads(run.stdout))


def _read(report: Mapping[str, Any]) -> ScanReport:
    assert report["summary"]["parsing_errors"] == 0
    passed, failed = (
        frozenset(
            CheckResult(Path(one["file_path"]).stem, one["check_id"], one["resource"], one["check_name"])
            for one in report["results"][kind]
        )
        for kind in ("passed_checks", "failed_checks")
    )
    return ScanReport(passed, failed, report["summary"]["resource_count"])


def _checkov() -> str:
    """Its command; installed where there is none of these very versions."""
    installed = ENVIRONMENT / "constraints.txt"
    if not installed.is_file() or installed.read_bytes() != CONSTRAINTS.read_bytes():
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        python = ENVIRONMENT / "bin" / "python"
        install("sync", "--compile-bytecode", "--python", python, CONSTRAINTS)
        installed.write_bytes(CONSTRAINTS.read_bytes())
    return str(ENVIRONMENT / "bin" / "checkov")
