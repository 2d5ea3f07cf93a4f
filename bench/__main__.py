"""`python -m bench`: see `bench.cli`."""

from pypiserver_stack.common.entry_point import run, start_program


def main() -> None:
    from bench.cli import cli
    from bench.runtime.interruption import Interrupted

    try:
        run(cli)
    except Interrupted:
        raise KeyboardInterrupt from None


start_program(main)
