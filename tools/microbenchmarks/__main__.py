"""`python -m tools.microbenchmarks NAME`: one of the measurements of this folder, each a module."""

from __future__ import annotations

import importlib
import sys

from pypiserver_stack.common.entry_point import Arguments, start_program

_NAMES = (
    "gate_false_alarms",
    "index_cost",
    "large_index",
    "load_generator",
    "server_profile",
    "upload_cost",
    "upload_stall",
)


def main() -> None:
    """Run the measurement that the first argument names; the others are its own."""
    arguments = Arguments(
        "python -m tools.microbenchmarks", description="Run a measurement. NAME --help lists its options."
    )
    arguments.add_argument("name", choices=_NAMES)
    name = arguments.parse_args(sys.argv[1:2]).name
    sys.argv[:2] = [f"python -m tools.microbenchmarks {name}"]
    importlib.import_module(f"tools.microbenchmarks.{name}").main()


start_program(main)
