"""The settings as Markdown tables, which `python -m tools.docs.settings_table` prints."""

from __future__ import annotations

from pypiserver_stack.common.entry_point import Arguments, show, start_program


def main() -> None:
    Arguments(
        "python -m tools.docs.settings_table", description="Print the tables of docs/configuration.md."
    ).parse_args()
    show(tables())


def tables() -> str:
    """A table for each group, with a row for each setting: its key, what it takes, its default, its meaning."""
    from pypiserver_stack.settings import GROUPS

    return "\n".join(_table(group.__doc__ or "", group.__annotations__) for group in GROUPS)


def _table(title: str, keys: dict[str, object]) -> str:
    from pypiserver_stack.settings import Settings, allowed, default

    rows = [
        f"### {title.splitlines()[0].rstrip('.')}",
        "",
        "| setting | takes | default | meaning |",
        "|---|---|---|---|",
    ]
    for key in keys:
        setting = Settings.model_fields[key]
        takes = allowed(key).replace("|", "\\|")
        rows.append(f"| `{key}` | {takes} | {default(key)} | {setting.description} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    start_program(main)
