"""The diagram of the architecture is what the program's resources are now, and leaves nothing of them out."""

from __future__ import annotations

import re
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from bench.deployment.graph import Graph, Resource
from tests.pypiserver_stack.support.evaluation import ROOT
from tools.docs import diagram

PAGE = ROOT / "docs" / "architecture.md"
NODES = "abcdef"
ARROWS = st.fixed_dictionaries({node: st.sets(st.sampled_from(NODES.replace(node, ""))) for node in NODES})


@cache
def drawn() -> Graph:
    return diagram.drawn_graph()


def test_the_page_has_what_is_drawn_from_the_graph() -> None:
    assert diagram.page_part(drawn()) in PAGE.read_text("utf-8"), (
        "run `python -m tools.docs.diagram` and put what it prints into docs/architecture.md"
    )


def test_every_resource_is_in_a_component() -> None:
    counted = sum(sum(component.resources.values()) for component in diagram.components(drawn()))
    of_ours = sum(resource.type.startswith(diagram.COMPONENT) for resource in drawn())
    assert counted + of_ours == len(drawn())
    assert len(diagram.components(drawn())) == of_ours - 1


def test_every_box_and_every_end_of_an_arrow_is_drawn_once() -> None:
    text = diagram.mermaid(drawn())
    boxes = re.findall(r"^ +(\w+)\[", text, re.MULTILINE)
    assert sorted(boxes) == [component.name for component in diagram.components(drawn()) if component.resources]
    ends = {end for arrow in re.findall(r"^  (\w+) --> (\w+)$", text, re.MULTILINE) for end in arrow}
    assert ends == set(boxes)


def resource(type_: str, name: str, parent: str, *dependencies: str) -> Resource:
    return Resource(f"{type_}::{name}", type_, name, parent, {}, frozenset(), dependencies)


def test_a_small_graph_is_drawn_as_it_is() -> None:
    whole = resource(diagram.WHOLE, "all", "")
    network = resource("pypiserver:index:Network", "all", whole.urn)
    vpc = resource("pypiserver:index:OwnVpc", "all", network.urn)
    hosts = resource("pypiserver:index:Hosts", "all", whole.urn)
    subnets = [resource("aws:ec2/subnet:Subnet", name, vpc.urn) for name in "ab"]
    bucket = resource("aws:s3/bucket:Bucket", "a", hosts.urn, subnets[0].urn)
    policy = resource("aws:s3/bucketPolicy:BucketPolicy", "a", hosts.urn, bucket.urn)
    password = resource("random:index/randomPassword:RandomPassword", "a", hosts.urn, subnets[1].urn)
    graph = Graph({one.urn: one for one in (whole, network, vpc, hosts, *subnets, bucket, policy, password)})

    assert diagram.mermaid(graph) == (
        "flowchart TD\n"
        "  subgraph all-Network[Network]\n"
        '    OwnVpc["<b>OwnVpc</b><br/>2&nbsp;ec2.Subnet"]\n'
        "  end\n"
        '  Hosts["<b>Hosts</b><br/>random.RandomPassword<br/>s3.Bucket"]\n'
        "  Hosts --> OwnVpc\n"
    )
    assert diagram.table(graph).splitlines()[2:] == [
        "| Hosts | random.RandomPassword, s3.Bucket, s3.BucketPolicy | OwnVpc |",
        "| Network | nothing but its parts |  |",
        "| OwnVpc, in Network | 2 ec2.Subnet |  |",
    ]


def test_an_arrow_beside_a_longer_way_is_left_out() -> None:
    assert diagram.without_shortcuts({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {"a": {"b"}, "b": {"c"}, "c": set()}


@given(ARROWS)
def test_what_can_be_reached_stays_and_no_arrow_is_for_nothing(arrows: dict[str, set[str]]) -> None:
    left = diagram.without_shortcuts(arrows)
    for start in NODES:
        assert left[start] <= arrows[start]
        assert diagram.reachable(left, start) == diagram.reachable(arrows, start)
        for end in left[start]:
            assert end not in diagram.reachable({**left, start: left[start] - {end}}, start)
