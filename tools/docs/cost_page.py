"""The tables of docs/cost.md: `python -m tools.docs.cost_page` prints them."""

from pypiserver_stack.common.entry_point import Arguments, show, start_program


def main() -> None:
    Arguments("python -m tools.docs.cost_page", description="Print the tables of docs/cost.md.").parse_args()
    from tools.docs.cost_tables import page_tables

    show(page_tables())


if __name__ == "__main__":
    start_program(main)
