"""Only what stands between the markers changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.commands.explain.page import BEGIN, END, around, write_between
from bench.common.failures import UsageError

PERFORMANCE = Path(__file__).parents[4] / "docs" / "performance.md"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r")).filter(lambda text: "<!--" not in text)


@given(before=TEXT, old=TEXT, new=TEXT, after=TEXT)
def test_what_stands_around_stays(
    tmp_path_factory: pytest.TempPathFactory, before: str, old: str, new: str, after: str
) -> None:
    path = tmp_path_factory.mktemp("page") / "page.md"
    path.write_text(f"{before}{BEGIN}{old}{END}{after}", "utf-8")
    write_between(path, new)

    assert path.read_text("utf-8") == f"{before}{BEGIN}\n\n{new.strip()}\n\n{END}{after}"
    once = path.read_bytes()
    write_between(path, new)
    assert path.read_bytes() == once
    assert list(path.parent.iterdir()) == [path]


PAGES = {
    "no markers": "# A page\n",
    "no end": f"{BEGIN}\n",
    "no beginning": f"{END}\n",
    "the wrong order": f"{END}\n{BEGIN}\n",
    "two beginnings": f"{BEGIN}\n{BEGIN}\n{END}\n",
    "two ends": f"{BEGIN}\n{END}\n{END}\n",
}


@pytest.mark.parametrize("case", PAGES)
def test_a_page_without_a_place_is_refused_and_stays(tmp_path: Path, case: str) -> None:
    path = tmp_path / "page.md"
    path.write_text(PAGES[case])

    with pytest.raises(UsageError, match=f"{path}: the page needs the lines"):
        around(path)
    assert path.read_text() == PAGES[case]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.md", r"none\.md: there is no such page; it needs the lines"),
        ("none/page.md", r"page\.md: there is no such page; it needs the lines"),
        ("", r"the page cannot be read \(Is a directory\)"),
        ("bytes.md", "the page is not UTF-8 text"),
    ],
)
def test_what_is_no_page_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "bytes.md").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=f"^--write .*{message}"):
        around(tmp_path / name)


def test_the_page_of_the_documentation_has_its_place() -> None:
    around(PERFORMANCE)
