"""CloudFront switched on and off, through the real engine: what changes, in which order, and what the state holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import Stack

from bench.deployment.engine import StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.command_line import ROOT
from tests.bench.deployment.engine.whole_stack import fast_engine

ENTROPY = b"the same for both"
HTTPS = ("zone_id=Z0123456789ABCDEFGHIJ", "balancer_scheme=internet-facing", "removal_enabled=false")
ON = (*HTTPS, "cloudfront_enabled=true", "waf_enabled=true")

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


def steps(engine: AutomationEngine, config: StackConfig) -> list[tuple[str, str]]:
    """Operation and URN, in the order in which the engine was done with them."""
    done: list[tuple[str, str]] = []

    def note(event: Any) -> None:
        step = getattr(getattr(event, "res_outputs_event", None), "metadata", None)
        if step is not None and (operation := str(getattr(step.op, "value", step.op))) != "same":
            done.append((operation, step.urn))

    def up(stack: Stack) -> None:
        stack.up(color="never", on_event=note)

    engine._operate(lambda: up(engine._open(config)))
    return done


def place(done: list[tuple[str, str]], operation: str, type_: str, name: str = "") -> int:
    """Where the last of these is."""
    kinds = ((op, *urn.split("::")[2:]) for op, urn in done)
    return max(
        i for i, (op, of, own) in enumerate(kinds) if op == operation and of.endswith(type_) and own.endswith(name)
    )


RULE = "aws:lb/listenerRule:ListenerRule"


def test_it_is_switched_on_and_off_without_another_balancer(tmp_path: Path) -> None:
    cloud = LocalCloud(entropy=ENTROPY)
    engine = fast_engine(cloud, tmp_path / "work")
    https, on = (load_stack(ROOT, "stress", settings)[0] for settings in (HTTPS, ON))
    engine.up(https)

    done = steps(engine, on)
    touched = {urn.split("::")[2].rsplit("$", 1)[-1] for _, urn in done}
    assert not {"aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"} & touched
    # The server is told that its files may be kept.
    assert {urn.rsplit("$", 1)[-1] for operation, urn in done if "replace" in operation} == {
        "aws:ecs/taskDefinition:TaskDefinition::pypiserver"
    }
    # Clients reach the tasks all the while: through the balancer, until their names lead to a distribution that is up,
    # and that the balancer lets in.
    assert "aws:lb/listener:Listener" not in {
        urn.split("::")[2].rsplit("$", 1)[-1] for op, urn in done if op == "update"
    }
    refused = place(done, "update", RULE, "-others")
    assert place(done, "create", "aws:cloudfront/distribution:Distribution") < place(
        done, "update", "aws:route53/record:Record"
    )
    assert place(done, "update", "aws:route53/record:Record") < refused
    assert place(done, "create", RULE) < refused
    assert refused < min(i for i, (operation, _) in enumerate(done) if operation == "delete")

    assert steps(engine, on) == []
    off = steps(engine, https)
    assert not {"aws:lb/loadBalancer:LoadBalancer"} & {urn.split("::")[2].rsplit("$", 1)[-1] for _, urn in off}
    # The balancer lets everybody in before the first name leads there.
    assert place(off, "update", RULE, "-others") < min(
        i for i, (operation, urn) in enumerate(off) if operation == "update" and "route53/record" in urn
    )
    assert place(off, "update", "aws:route53/record:Record") < place(
        off, "delete", "aws:cloudfront/distribution:Distribution"
    )
    assert engine.down() == ()
    assert not cloud.records


def test_the_real_engine_makes_the_same_of_it_and_keeps_the_header_secret(tmp_path: Path) -> None:
    on = load_stack(ROOT, "stress", ON)[0]
    engine = fast_engine(LocalCloud(entropy=ENTROPY), tmp_path / "work")
    deployment = engine.up(on)
    assert deployment == EmbeddedEngine(LocalCloud(entropy=ENTROPY), ROOT).up(on)
    header = deployment.graph.one("aws:cloudfront/distribution:Distribution").inputs["origins"][0]["customHeaders"][0]
    looked_at = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".json" for path in looked_at)
    for path in looked_at:
        assert header["value"].encode() not in path.read_bytes(), path
    assert engine.down() == ()
