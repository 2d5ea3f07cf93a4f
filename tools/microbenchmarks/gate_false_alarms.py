"""False alarms of `compare --fail-on-regression`: comparisons of the same stack with itself.

    python -m tools.microbenchmarks gate_false_alarms [--of stacks | --of reports] [--pairs 30]

`stacks` compares `stress` with itself in rounds, each time newly stood up. `reports` makes one more run than there are
pairs and compares each with the one before. The last lines give the number of alarms, the highest rate that this number
does not exclude (the upper end of an exact 95 % interval), and by how much each figure differed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from bench.common.failures import ExitCode
from pypiserver_stack.common.entry_point import Arguments, UserError

BENCH = (sys.executable, "-m", "bench")


def main() -> None:
    parser = Arguments(description="Count the false alarms of compare --fail-on-regression.")
    parser.add_argument("--of", choices=["stacks", "reports"], default="stacks", help="what is compared (stacks)")
    parser.add_argument("--pairs", type=int, default=30, help="comparisons (30)")
    options = parser.parse_args()
    worse_by = defaultdict(list)
    alarms = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        comparisons = _of_stacks if options.of == "stacks" else _of_reports
        for comparison in comparisons(options.pairs, Path(folder)):
            compared += 1
            alarms += comparison["exit_code"] == ExitCode.REGRESSED
            print(f"{compared:3}  {comparison['verdict']}  {comparison['failure'] or ''}", flush=True)
            for judged in comparison["gate"]["judged"]:
                worse_by[judged["figure"]].append(judged["worse_by"] or 0.0)
    print(f"\nfalse alarms: {alarms} of {compared}; a rate of {_upper_end(alarms, compared):.1%} is not excluded\n")
    print(f"{'difference, %':26}{'median':>8}{'p90':>8}{'most':>8}")
    for figure, shares in worse_by.items():
        # Which of two of the same came first is chance: a change is as large in either direction.
        quantiles = np.quantile(np.abs(shares), [0.5, 0.9, 1.0]) * 100
        print(f"{figure:26}" + "".join(f"{quantile:8.1f}" for quantile in quantiles))


def _of_stacks(pairs: int, folder: Path) -> Iterator[dict[str, Any]]:
    for number in range(pairs):
        yield _compare(["--stacks", "stress,stress"], folder / str(number))


def _of_reports(pairs: int, folder: Path) -> Iterator[dict[str, Any]]:
    def run(number: int) -> str:
        results = folder / f"run-{number}"
        _bench(["run"], results)
        return str(next(results.glob("*/report.json")))

    for number, reports in enumerate(pairwise(map(run, range(pairs + 1)))):
        yield _compare(reports, folder / str(number))


def _compare(what: Sequence[str], results: Path) -> dict[str, Any]:
    _bench(["compare", *what, "--fail-on-regression"], results)
    comparison: dict[str, Any] = json.loads(next(results.glob("*/comparison.json")).read_text("utf-8"))
    if comparison["gate"] is None:
        raise UserError(f"nothing was judged: {comparison['failure']}")
    return comparison


def _bench(arguments: Sequence[str], results: Path) -> None:
    command = [*BENCH, *arguments, "--quiet", "--results", str(results)]
    finished = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if finished.returncode not in (ExitCode.PASSED, ExitCode.THRESHOLDS_MISSED, ExitCode.REGRESSED):
        raise UserError(f"{' '.join(command[1:])} ended with {finished.returncode}: {finished.stderr.strip()}")


def _upper_end(hits: int, tries: int) -> float:
    """Of the exact interval of Clopper and Pearson, for one side at 97.5 %."""
    low, high = hits / tries, 1.0
    for _ in range(50):
        rate = (low + high) / 2
        as_few = sum(comb(tries, count) * rate**count * (1 - rate) ** (tries - count) for count in range(hits + 1))
        low, high = (rate, high) if as_few > 0.025 else (low, rate)
    return high
