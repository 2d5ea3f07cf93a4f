"""The real engine over the whole program: whatever could not be made, nothing is left behind, and it can be retried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.common.failures import BenchError
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_cloud.computed import RESOURCES
from tests.bench.deployment.engine.failing_cloud import LIMIT, FailingCloud
from tests.bench.deployment.engine.whole_stack import ROOT, fast_engine, whole

BEHIND_CLOUDFRONT = ("cloudfront_enabled=true", "removal_enabled=false")
# There the web ACL is named by the distribution.
NOT_BEHIND_CLOUDFRONT = {"aws:wafv2/webAclAssociation:WebAclAssociation"}

pytestmark = [pytest.mark.engine, pytest.mark.timeout(3600), pytest.mark.usefixtures("pulumi_on_path")]


@pytest.mark.parametrize(
    "go_on",
    [
        pytest.param(True, id="all that can be tried"),
        # What is being made at the same time fails with it, and nothing else is tried.
        pytest.param(False, id="until one fails", marks=pytest.mark.thorough),
    ],
)
@pytest.mark.parametrize(
    ("overrides", "elsewhere"),
    [
        pytest.param(BEHIND_CLOUDFRONT, NOT_BEHIND_CLOUDFRONT, id="behind CloudFront"),
        pytest.param((), None, id="in front", marks=pytest.mark.thorough),
    ],
)
def test_what_could_not_be_made_is_made_the_next_time_or_nothing_is_left(
    overrides: tuple[str, ...], elsewhere: set[str] | None, go_on: bool, tmp_path: Path
) -> None:
    """Each resource of the program fails once, and each time the stack is both taken down and tried again."""
    cloud, config = FailingCloud(refuses_first=True), whole(*overrides)
    engine = fast_engine(cloud, tmp_path / "work")

    def attempt() -> str:
        try:
            engine._operate(lambda: engine._open(config).up(color="never", continue_on_error=go_on))
        except BenchError as error:
            return str(error)
        return ""

    while error := attempt():
        assert LIMIT in error
        with undone(cloud, tmp_path / "work" / "state", tmp_path / "aside"):
            engine._operate(lambda: engine._open(config).destroy(color="never"))
            assert cloud.leftovers == ()

    assert (
        cloud.refused
        == {*cloud.records}
        == {r.urn for r in EmbeddedEngine(LocalCloud(), ROOT).up(config).graph if r.id}
    )
    if elsewhere is not None:
        assert {record.type for record in cloud.records.values()} == {*RESOURCES} - elsewhere
    assert engine.down() == ()


@contextmanager
def undone(cloud: FailingCloud, state: Path, aside: Path) -> Iterator[None]:
    """Whatever is done to the stack meanwhile, cloud and state are as before afterwards."""
    shutil.copytree(state, aside)
    with cloud.undone():
        yield
    shutil.rmtree(state)
    aside.rename(state)
