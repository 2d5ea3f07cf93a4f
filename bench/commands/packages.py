"""The command `python -m bench packages`: the test packages, without a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from bench.commands.options import PACKAGES, SEED, examples, with_options
from bench.runtime.interruption import Interruptions
from bench.runtime.progress import open_progress
from sizing.counted import counted


@with_options(PACKAGES, SEED.described("Seed; the same one gives the same bytes"))
@click.command(
    short_help="Make the test packages in a folder",
    epilog=examples("packages /tmp/wheels", "packages /tmp/wheels --packages 10 --sizes uniform"),
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--sizes",
    type=click.Choice(["log-uniform", "uniform"]),
    default="log-uniform",
    help="Distribution of the wheels' sizes",
)
@click.option("--quiet", is_flag=True, help="Print nothing")
def packages(directory: Path, packages: int, seed: int, sizes: Literal["log-uniform", "uniform"], quiet: bool) -> None:
    """Make the test packages in DIRECTORY, without a run."""
    from bench.packages.factory import PackageSet, build, cache_dir_or, export, make_export_folder
    from bench.runtime.scratch import Scratch

    with Interruptions() as interruptions, open_progress(sys.stderr, quiet=quiet) as progress:
        interruptions.arm()
        progress.step("packages")
        package_set = PackageSet(packages=packages, seed=seed, size_distribution=sizes)
        make_export_folder(directory, package_set)
        scratch = Scratch()  # its watchdog ends the builders where this process is killed
        try:
            wheels = build(package_set, cache_dir_or(scratch.path / "cache", progress.note), progress.progress)
            export(wheels, directory)
        finally:
            scratch.remove()
        progress.note(f"{counted(len(wheels), 'wheel')} in {directory}")
