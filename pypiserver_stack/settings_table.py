"""The settings as a Markdown table, which `python -m pypiserver_stack.settings_table` prints."""

from __future__ import annotations

from pypiserver_stack.settings import Settings, allowed


def table() -> str:
    """A row for each setting: its key, what it takes, its default, its meaning."""
    rows = ["| setting | takes | default | meaning |", "|---|---|---|---|"]
    for key, setting in Settings.model_fields.items():
        default = "computed" if setting.default is None else str(setting.default).lower()
        takes = allowed(key).replace("|", "\\|")
        rows.append(f"| `{key}` | {takes} | {default} | {setting.description} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), end="")
