"""The pages: every link leads somewhere, every page is found, and every command that a page shows exists."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from pypiserver_stack.settings import Settings

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_FENCE = re.compile(r"^(```+)[^\n]*\n.*?^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@cache
def prose(page: Path) -> str:
    """A page without its blocks of code, in which nothing is a heading or a link."""
    return _FENCE.sub("", page.read_text("utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """As GitHub makes them of headings."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ +(.+?) *#*$", prose(page), re.MULTILINE):
        text = _LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading)
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return frozenset(found)


def links(page: Path) -> list[tuple[Path, str]]:
    """The files and folders of the repository that a page links to, each with the anchor, which may be empty."""
    inner = [link for link in _LINK.findall(prose(page)) if "://" not in link and not link.startswith("mailto:")]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in map(_parts, inner)]


def _parts(link: str) -> tuple[str, str, str]:
    return link.partition("#")


def test_headings_become_the_anchors_that_github_makes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b`, c: d-e\n## [A link](x.md) here\n# Twice\n# Twice\n```sh\n# no heading\n```\n")
    assert anchors(page) == {"a-b-c-d-e", "a-link-here", "twice", "twice-1"}


def test_links_are_found_outside_of_code_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](b.md#c) [d](#e) [f](https://example.com)\n```\n[g](h.md)\n```\n")
    assert links(page) == [(tmp_path / "b.md", "c"), (page, "e")]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    lost = [
        f"{target.relative_to(ROOT)}{'#' + anchor if anchor else ''}"
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert not lost


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [README]
    while ahead:
        page = ahead.pop()
        if page in reached:
            continue
        reached.add(page)
        for target, _ in links(page):
            ahead += sorted(target.glob("*.md")) if target.is_dir() else [target] if target.suffix == ".md" else []
    assert {str(page.relative_to(ROOT)) for page in set(PAGES) - reached} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_that_is_set_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    keys = re.findall(r"pulumi config (?:set|rm) (?:--\S+ )*([\w:]+)", text) + re.findall(r"\s-c\s(\w+)=", text)
    unknown = {key for key in keys if key != "KEY" and key.partition(":")[0] != "aws"} - set(Settings.model_fields)
    assert not unknown


@pytest.mark.parametrize("name", NAMES)
def test_every_module_that_is_run_exists(name: str) -> None:
    modules = set(re.findall(r"\bpython3? -m ([a-z_][\w.]*)", (ROOT / name).read_text("utf-8")))
    assert not [module for module in modules if find_spec(module) is None]


def test_every_module_of_ours_that_is_run_is_a_program() -> None:
    # Python runs any other module too: it does nothing, and the exit code is 0.
    modules = {name for page in PAGES for name in re.findall(r"\bpython -m ([a-z_][\w.]*)", page.read_text("utf-8"))}
    paths = {name: ROOT / name.replace(".", "/") for name in modules if (ROOT / name.partition(".")[0]).is_dir()}
    assert "bench" in paths
    sources = {name: path / "__main__.py" if path.is_dir() else path.with_suffix(".py") for name, path in paths.items()}
    started = re.compile(r"^(?:start_program\(|if __name__ == )", re.MULTILINE)
    assert not [
        name for name, file in sources.items() if not (file.is_file() and started.search(file.read_text("utf-8")))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_target_that_is_made_exists(name: str) -> None:
    targets = set(re.findall(r"(?:`|^\$? ?)make ([a-z]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
    assert targets <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", NAMES)
def test_no_page_names_a_path_of_somebodys_machine(name: str) -> None:
    # What a run on this machine printed may name its temporary folder.
    assert not re.findall(r"(?<![\w~])/(?:home|root|Users|work)/\w+", (ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_no_box_of_a_diagram_has_a_name_that_mermaid_keeps_for_itself(name: str) -> None:
    # Instead of the diagram, GitHub would show an error.
    diagrams = re.findall(r"^```mermaid\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for diagram in diagrams:
        kept = r"\b(graph|flowchart|subgraph|end|style|class|classDef|click|linkStyle|default)\b(?=[\[({]| *-)"
        assert not re.findall(kept, diagram), diagram
