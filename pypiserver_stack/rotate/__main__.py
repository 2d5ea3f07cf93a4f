"""`python -m pypiserver_stack.rotate`: see `pypiserver_stack.rotate.command`."""

from pypiserver_stack.common.entry_point import run, start_program


def main() -> None:
    from pypiserver_stack.rotate.command import rotate_command

    run(rotate_command)


if __name__ == "__main__":
    start_program(main)
