"""The diagram of docs/architecture.md, drawn from the resource graph that the program makes.

    python -m tools.docs.diagram

prints Mermaid and a table: a box for each component with the resources that it makes itself, and an arrow from a
component to each other one whose resources those refer to or wait for. Where arrows lead there by a longer way as well,
the diagram leaves the short one out; the table has them all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypiserver_stack.common.entry_point import Arguments, show, start_program

# What is installed only is imported where it is used.
if TYPE_CHECKING:
    from bench.deployment.graph import Graph, Resource

COMPONENT = "pypiserver:index:"
WHOLE = f"{COMPONENT}PypiServer"


@dataclass(frozen=True)
class Component:
    """One component below the whole: its name, the name of the one that it is a part of, and what it makes itself."""

    name: str
    part_of: str
    resources: Mapping[str, int]
    """Types in Pulumi's spelling, such as `lb.Listener`, and how many."""


def main() -> None:
    Arguments(
        "python -m tools.docs.diagram", description="Print the diagram and the table of docs/architecture.md."
    ).parse_args()
    show(page_part(drawn_graph()))


def components(graph: Graph) -> list[Component]:
    """All components but the whole, by name."""
    own: dict[str, Counter[str]] = {r.urn: Counter() for r in graph if r.type.startswith(COMPONENT)}
    for resource in graph:
        if resource.urn not in own:
            own[_component(graph, resource).urn][_short(resource.type)] += 1
    found = (graph.resources[urn] for urn in own)
    return sorted(
        (
            Component(_name(one.type), _name(graph.resources[one.parent].type), dict(sorted(own[one.urn].items())))
            for one in found
            if one.type != WHOLE
        ),
        key=lambda component: component.name,
    )


def references(graph: Graph) -> dict[str, set[str]]:
    """From each component the others whose resources its own refer to or wait for."""
    found: dict[str, set[str]] = {component.name: set() for component in components(graph)}
    for resource in graph:
        for dependency in resource.dependencies:
            start, end = (_component(graph, one).type for one in (resource, graph.resources[dependency]))
            if start != end and WHOLE not in (start, end):
                found[_name(start)].add(_name(end))
    return found


def without_shortcuts(arrows: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """The arrows without those to where a longer way leads too: the same can be reached, by as few as will do."""
    left = {start: set(ends) for start, ends in arrows.items()}
    for start, ends in sorted(arrows.items()):
        for end in sorted(ends):
            left[start].remove(end)
            if end not in reachable(left, start):
                left[start].add(end)
    return left


def reachable(arrows: Mapping[str, Set[str]], start: str) -> set[str]:
    """Where the arrows lead from `start`."""
    found: set[str] = set()
    ahead = list(arrows[start])
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += arrows[here]
    return found


def mermaid(graph: Graph) -> str:
    """The diagram: parts of a component are drawn inside it."""
    boxes = components(graph)
    wholes = sorted({box.part_of for box in boxes} - {_name(WHOLE)})
    lines = ["flowchart TD"]
    for whole in wholes:
        lines.append(f"  subgraph all-{whole}[{whole}]")
        lines += [
            f"    {_box(box, box.name == whole)}" for box in boxes if whole in (box.name, box.part_of) and box.resources
        ]
        lines.append("  end")
    lines += [
        f"  {_box(box)}" for box in boxes if box.resources and box.name not in wholes and box.part_of not in wholes
    ]
    # Mermaid lays out in this order: who has the most arrows comes first, so that they do not cross the other boxes.
    for start, ends in sorted(
        without_shortcuts(references(graph)).items(), key=lambda arrow: (-len(arrow[1]), arrow[0])
    ):
        lines += [f"  {start} --> {end}" for end in sorted(ends)]
    return "\n".join(lines) + "\n"


def table(graph: Graph) -> str:
    """Every component with what it makes and which others it refers to, in Markdown."""
    arrows = references(graph)
    rows = ["| component | makes | refers to |", "|---|---|---|"]
    for component in components(graph):
        makes = ", ".join(_counted(component.resources)) or "nothing but its parts"
        name = component.name
        if component.part_of != _name(WHOLE):
            name += f", in {component.part_of}"
        rows.append(f"| {name} | {makes} | {', '.join(sorted(arrows[component.name]))} |")
    return "\n".join(rows) + "\n"


def page_part(graph: Graph) -> str:
    """The part of docs/architecture.md that is drawn."""
    return f"```mermaid\n{mermaid(graph)}```\n\n{table(graph)}"


def drawn_graph() -> Graph:
    """The graph that is drawn."""
    from tools.docs.example import example

    return example({"profile": "medium"}).graph


def _box(box: Component, named_outside: bool = False) -> str:
    # Mermaid breaks long lines at spaces: a count stays beside what is counted.
    makes = [text.replace(" ", "&nbsp;") for text in _counted(_main(box.resources))]
    text = "<br/>".join(makes if named_outside else [f"<b>{box.name}</b>", *makes])
    return f'{box.name}["{text}"]'


def _main(resources: Mapping[str, int]) -> dict[str, int]:
    """The resources without what belongs to one of them by its name, such as `s3.BucketPolicy` to `s3.Bucket`."""
    names = [_class(type_) for type_ in resources]
    return {
        type_: count
        for type_, count in resources.items()
        if not any(_class(type_) != name and _class(type_).startswith(name) for name in names)
    }


def _class(type_: str) -> str:
    return type_.rpartition(".")[2]


def _counted(resources: Mapping[str, int]) -> Iterator[str]:
    for type_, count in resources.items():
        yield f"{count} {type_}" if count > 1 else type_


def _component(graph: Graph, resource: Resource) -> Resource:
    while not resource.type.startswith(COMPONENT):
        resource = graph.resources[resource.parent]
    return resource


def _name(type_: str) -> str:
    return type_.rpartition(":")[2]


def _short(type_: str) -> str:
    package, module, name = type_.split(":")
    module = module.partition("/")[0]
    return f"{package if module == 'index' else module}.{name}"


if __name__ == "__main__":
    start_program(main)
