"""`python -m bench.cost`: see `bench.cost.command`."""

from pypiserver_stack.entry_point import run, start_program


def main() -> None:
    """Run the command line."""
    from bench.cost.command import cost

    run(cost)


start_program(main)
