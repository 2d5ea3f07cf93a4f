from pathlib import Path

from tools.docs.settings_table import tables

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_has_the_table_of_the_settings() -> None:
    assert tables() in PAGE.read_text(), "run `python -m tools.docs.settings_table` and put its tables into the page"
