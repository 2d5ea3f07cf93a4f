"""The tables of docs/cost.md: `python -m bench.cost.page` prints them."""

from pypiserver_stack.entry_point import Arguments, show, start_program


def main() -> None:
    """Print the tables."""
    Arguments("python -m bench.cost.page", description="Print the tables of docs/cost.md.").parse_args()
    from bench.cost.page_tables import page_tables

    show(page_tables())


if __name__ == "__main__":
    start_program(main)
